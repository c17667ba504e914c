// Configuration by vote: what is in force, proposing, voting, and what was decided.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/proposal_text.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/settings/nearest.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

Result<const ConfigKeyInfo*> key_named(const std::string& name) {
  if (const auto key = find_config_key(name)) return &info_of(*key);
  std::vector<std::string> known;
  for (const ConfigKeyInfo& key : config_keys()) known.emplace_back(key.name);
  return fault(FaultKind::BadUsage, "there is no key '" + printable(name) + "'" + did_you_mean(name, known) +
                                        "; 'cidbus config get' lists them");
}

// Calls `take` with what is in force; views live during the call.
Status with_config(Context& context, const std::function<void(const Configuration&)>& take) {
  const RequestId request = context.next_request();
  return context.ask(ConfigRequest{request}, [&](const Message& message) {
    const auto* answer = std::get_if<Configuration>(&message);
    if (answer == nullptr || answer->request != request) return false;
    take(*answer);
    return true;
  });
}

// ---- get

struct Setting {
  std::string key;
  std::string value;
  std::string initial;
  ConfigEntry entry;  // version 0: nobody has voted on it
};

std::vector<Setting> settings_of(const Configuration& configuration) {
  std::vector<Setting> settings;
  std::vector<ConfigEntry> others = configuration.entries;
  for (const ConfigKeyInfo& key : config_keys()) {
    const auto found = std::find_if(others.begin(), others.end(),
                                    [&](const ConfigEntry& entry) { return entry.key == key.name; });
    const ConfigEntry entry = found == others.end() ? ConfigEntry{key.name, key.initial, 0, 0, {}} : *found;
    if (found != others.end()) others.erase(found);
    settings.push_back({std::string(key.name), config_value_text(key, entry.value),
                        config_value_text(key, key.initial), entry});
  }
  // Of a later version of the broker: what they mean is not known here.
  for (const ConfigEntry& entry : others)
    settings.push_back({printable(entry.key), std::to_string(entry.value), "", entry});
  return settings;
}

void print(Output& output, const std::vector<Setting>& settings) {
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name : {"KEY", "VALUE", "AT FIRST", "VERSION", "SINCE"})
    rows[0].push_back(output.heading(name));
  output.open_list();
  for (const Setting& setting : settings) {
    const ConfigEntry& entry = setting.entry;
    if (output.is_json()) {
      JsonWriter json;
      json.open_object().name("key").string(setting.key).name("value").string(setting.value);
      json.name("number").number(static_cast<std::uint64_t>(entry.value));
      json.name("initial").string_or_null(setting.initial).name("version").number(entry.version);
      json.name("since").string_or_null(to_rfc3339(entry.since)).close_object();
      output.item(json.text());
    } else if (output.format() == Format::Quiet) {
      output.line(setting.value);
    }
    const bool voted = entry.version != 0;
    rows.push_back({setting.key, setting.value, setting.initial, voted ? std::to_string(entry.version) : "-",
                    voted ? to_rfc3339(entry.since) : "-"});
  }
  output.close_list();
  if (output.format() == Format::Table) output.table(rows);
}

Result<int> get(Context& context, const std::string& key) {
  if (!key.empty()) {
    if (const auto known = key_named(key); !known) return tl::unexpected(known.error());
  }
  const Status asked = with_config(context, [&](const Configuration& configuration) {
    std::vector<Setting> settings = settings_of(configuration);
    if (!key.empty()) std::erase_if(settings, [&](const Setting& setting) { return setting.key != key; });
    print(context.output(), settings);
  });
  if (!asked) return tl::unexpected(asked.error());
  return 0;
}

// ---- propose

struct Wish {
  std::string key;
  std::string value;
  std::string deadline;
  std::optional<std::uint64_t> as_of;  // version of the configuration whose value is to come back
  bool wait = false;
};

// The value that the key had in an earlier version of the configuration.
Result<std::string> value_in(Context& context, const ConfigKeyInfo& key, std::uint64_t version) {
  std::uint64_t newest = 0;
  if (const Status asked = with_config(context, [&](const Configuration& now) { newest = now.version; });
      !asked)
    return tl::unexpected(asked.error());
  if (version > newest) {
    return fault(FaultKind::BadUsage, "there is no version " + std::to_string(version) +
                                          " yet; the newest is " + std::to_string(newest));
  }
  std::int64_t value = key.initial;
  std::uint64_t found = 0;
  const Status asked = for_each_proposal(context, false, [&](const Proposal& proposal) {
    const bool counts = proposal.kind == ProposalKind::ConfigChange && proposal.subject == key.name &&
                        proposal.status == ProposalStatus::Accepted;
    if (!counts || proposal.version > version || proposal.version <= found) return;
    found = proposal.version;
    value = proposal.value;
  });
  if (!asked) return tl::unexpected(asked.error());
  return config_value_text(key, value);
}

Result<int> propose_change(Context& context, const Wish& wish) {
  const auto key = key_named(wish.key);
  if (!key) return tl::unexpected(key.error());
  Result<std::string> value = wish.value;
  if (wish.value.empty() != wish.as_of.has_value())
    return fault(FaultKind::BadUsage, "give a value, or --as-of N for the one that version N had");
  if (wish.as_of) value = value_in(context, **key, *wish.as_of);
  if (!value) return tl::unexpected(value.error());
  if (!parse_config_value(**key, *value)) {
    return fault(FaultKind::BadUsage, "'" + printable(*value) + "' is no value of " + wish.key +
                                          ", which goes " + bounds_text(**key));
  }
  return propose(context, {ProposalKind::ConfigChange, wish.key, *value, wish.deadline, wish.wait});
}

void add_propose(CommandRegistry& registry, CLI::App& group) {
  const auto wish = std::make_shared<Wish>();
  CLI::App& leaf = registry.leaf(
      group,
      {"propose",
       "Propose another value of a key. Brokers and workers vote by themselves, against it where they "
       "cannot do it, and it is in force everywhere as soon as a majority is for it",
       "  cidbus config propose task_timeout_default 10m --wait\n"
       "  cidbus config propose heartbeat_interval 2s --deadline 5m\n"
       "  cidbus config propose heartbeat_interval --as-of 3     the value it had in version 3\n"},
      [wish](Context& context) { return propose_change(context, *wish); });
  leaf.add_option("KEY", wish->key, "One of those that 'cidbus config get' lists")
      ->type_name("KEY")
      ->required();
  leaf.add_option("VALUE", wish->value, "30s, 256MiB, 12 or none, as the key takes it")->type_name("VALUE");
  leaf.add_option("--as-of", wish->as_of,
                  "The value that this version of the configuration had: roll back; 0 before any vote")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53));
  add_proposal_options(leaf, wish->deadline, wish->wait);
}

// ---- vote

struct Voice {
  std::uint64_t proposal = 0;
  std::string word;
  std::string node;
  std::string reason;
};

Result<int> vote(Context& context, const Voice& voice) {
  const RequestId request = context.next_request();
  const CastVote cast{request, voice.proposal, voice.node, voice.word == "yes", voice.reason};
  const Status asked = context.ask(cast, [&](const Message& message) {
    const auto* answer = std::get_if<Proposals>(&message);
    if (answer == nullptr || answer->request != request) return false;
    for (const Proposal& proposal : answer->proposals) print_proposal(context.output(), proposal);
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return 0;
}

void add_vote(CommandRegistry& registry, CLI::App& group) {
  const auto voice = std::make_shared<Voice>();
  CLI::App& leaf = registry.leaf(
      group,
      {"vote",
       "Vote on a proposal in the place of nodes that leave it to a person (--vote-by-hand): of all that "
       "have not voted, or of one",
       "  cidbus config vote 7 yes\n"
       "  cidbus config vote 7 no --node w2 --reason 'its link is too slow'\n"},
      [voice](Context& context) { return vote(context, *voice); });
  leaf.add_option("ID", voice->proposal, "Number of the proposal")
      ->type_name("ID")
      ->required()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53));
  allow_only(*leaf.add_option("WORD", voice->word, "For it, or against it")->type_name("WORD")->required(),
             {"yes", "no"});
  leaf.add_option("--node", voice->node, "Whose vote it is; without it all that have not voted")
      ->type_name("NAME");
  leaf.add_option("--reason", voice->reason, "Why, in a line; it is kept with the proposal")
      ->type_name("TEXT");
}

}  // namespace

void add_vote_commands(CommandRegistry& registry, CLI::App& group) {
  const auto key = std::make_shared<std::string>();
  registry
      .leaf(group,
            {"get", "What is in force: every key of the cluster's configuration, or one",
             "  cidbus config get\n  cidbus config get lease_length --output quiet\n"},
            [key](Context& context) { return get(context, *key); })
      .add_option("KEY", *key, "The key; without it all")
      ->type_name("KEY");
  add_propose(registry, group);
  add_vote(registry, group);
  const auto id = std::make_shared<std::uint64_t>(0);
  registry
      .leaf(group,
            {"proposals", "Proposals that are open, or one with who voted how",
             "  cidbus config proposals\n  cidbus config proposals 7 --output json\n"},
            [id](Context& context) { return show_proposals(context, *id); })
      .add_option("ID", *id, "Number of a proposal, open or decided")
      ->type_name("ID")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53));
  registry.leaf(group,
                {"history", "Proposals that were decided, newest first, and what was in force since",
                 "  cidbus config history\n  cidbus config history --output ndjson\n"},
                show_history);
}

}  // namespace cidbus
