#include "broker/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "shared/base/limits/group.h"
#include "shared/io/hosted_role.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr int http_offset = 5;  // DESIGN section 11

constexpr const char* footer = R"(Examples:
  cidbus-broker --name b1 --data /var/lib/cidbus/b1
  cidbus-broker --name b1 --data /tmp/b1 --listen 127.0.0.1:9196 --durability memory
  cidbus-broker --name b1 --data /var/lib/cidbus/b1 --key-file b1.key --listen 10.0.0.1:9096 \
                --group b1=10.0.0.1:9096/3,b2=10.0.0.2:9096/2,b3=10.0.0.3:9096/1
  cidbus-broker journal verify /var/lib/cidbus/b1
'cidbus-broker journal --help': verify, show and repair the journal of a broker that does not run.)";

Result<group::Member> parse_member(std::string_view text) {
  const auto bad = [&] {
    return fault(FaultKind::BadUsage,
                 "--group: '" + std::string(text) + "' is no member; give NAME=HOST:PORT/PRIORITY");
  };
  const auto equals = text.find('=');
  const auto slash = text.rfind('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals) return bad();
  group::Member member;
  member.name = text.substr(0, equals);
  member.endpoint = text.substr(equals + 1, slash - equals - 1);
  const std::string_view priority = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(priority.data(), priority.data() + priority.size(), member.priority);
  const bool whole = error == std::errc() && end == priority.data() + priority.size() &&
                     member.priority >= 0 && member.priority <= limits::priority_most;
  if (!whole || !is_valid_name(member.name) || !parse_addresses(member.endpoint)) return bad();
  return member;
}

Result<Durability> parse_durability(const std::string& text, std::size_t brokers) {
  if (text.empty()) return brokers == 1 ? Durability::Disk : Durability::Quorum;
  if (text == "memory") return Durability::Memory;
  if (text == "disk" && brokers == 1) return Durability::Disk;
  if (text == "quorum" && brokers > 1) return Durability::Quorum;
  return fault(FaultKind::BadUsage, "--durability '" + text +
                                        "' makes no sense here; a broker alone takes disk or " +
                                        "memory, brokers in a group take quorum or memory");
}

// The group this broker is in; without --group it is alone, at the address it listens on.
Result<std::vector<group::Member>> members_of(const BrokerFlags& flags) {
  if (flags.group.empty()) return std::vector<group::Member>{{flags.node.name, flags.listen, 0}};
  auto members = parse_group(flags.group);
  if (!members) return members;
  if (members->size() > limits::brokers) {
    return fault(FaultKind::BadUsage, "--group: " + std::to_string(members->size()) +
                                          " brokers are named; a group has " +
                                          std::to_string(limits::brokers) + " at the most");
  }
  const bool named = std::any_of(members->begin(), members->end(),
                                 [&](const group::Member& member) { return member.name == flags.node.name; });
  if (named) return members;
  return fault(FaultKind::BadUsage, "--group: '" + flags.node.name + "' (--name) is not in it");
}

}  // namespace

Result<std::vector<group::Member>> parse_group(std::string_view text) {
  std::vector<group::Member> members;
  while (true) {
    const auto comma = text.find(',');
    const auto member = parse_member(text.substr(0, comma));
    if (!member) return tl::unexpected(member.error());
    const bool twice = std::any_of(members.begin(), members.end(), [&](const group::Member& other) {
      return other.name == member->name || other.endpoint == member->endpoint;
    });
    if (twice)
      return fault(FaultKind::BadUsage, "--group: '" + member->name + "' or its address stands there twice");
    members.push_back(*member);
    if (comma == std::string_view::npos) return members;
    text.remove_prefix(comma + 1);
  }
}

void add_broker_flags(CLI::App& app, BrokerFlags& flags) {
  app.footer(footer);
  add_name_option(app, flags.node.name);
  app.add_option("--data", flags.data, "Folder of its journal; made when it is not there")
      ->type_name("FOLDER")
      ->required();
  app.add_option("--listen", flags.listen,
                 "Address of its bus; the feed and other brokers use the next four ports")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--group", flags.group,
                 "All brokers of the group, the same at each; without it this broker is alone")
      ->type_name("NAME=HOST:PORT/PRIORITY,…");
  CLI::Option* const durability =
      app.add_option("--durability", flags.durability,
                     "When a task is accepted: quorum, on disk at a majority; disk, on the disk of a broker "
                     "alone; memory, received there. Without it quorum, or disk when alone");
  allow_only(*durability->type_name("WORD"), {"quorum", "disk", "memory"});
  CLI::Option* const profile = app.add_option("--profile", flags.profile, "How far apart the brokers are");
  allow_only(*profile->type_name("WORD")->capture_default_str(), {"lan", "cloud", "wan"});
  add_metrics_option(app, flags.metrics_listen,
                     "Address of /metrics, /livez and /readyz over HTTP; without it the fifth port behind "
                     "--listen. none: nowhere");
  app.add_flag("--no-preempt", flags.no_preempt,
               "A broker of higher priority that returns is not handed the office");
  add_vote_flag(app, flags.votes_by_hand);
  add_common_flags(app, flags.node);
}

Result<BrokerServerOptions> server_options(const BrokerFlags& flags) {
  const auto identity = identity_of(flags.node, Role::Master);
  if (!identity) return tl::unexpected(identity.error());
  const auto listen = parse_addresses(flags.listen);
  if (!listen || listen->size() != 1) {
    return fault(FaultKind::BadUsage, "--listen '" + flags.listen + "' is no address; give HOST:PORT");
  }
  auto members = members_of(flags);
  if (!members) return tl::unexpected(members.error());
  const auto durability = parse_durability(flags.durability, members->size());
  if (!durability) return tl::unexpected(durability.error());
  const auto timers = group::timers_of(flags.profile);
  if (!timers)
    return fault(FaultKind::BadUsage, "--profile '" + flags.profile + "' is unknown; give lan, cloud or wan");
  group::GroupConfig config(std::move(*members), flags.node.name);
  config.durability = *durability;
  config.timers = *timers;
  config.preempt = !flags.no_preempt;
  BrokerServerOptions options{flags.node.cluster, std::move(config),   flags.listen,
                              flags.data,         flags.votes_by_hand, {}};
  options.http = flags.metrics_listen.empty() ? address_at(flags.listen, http_offset) : flags.metrics_listen;
  if (options.http == "none") options.http.clear();
  return options;
}

Result<std::unique_ptr<RunningRole>> open_broker(const BrokerFlags& flags) {
  auto options = server_options(flags);
  if (!options) return tl::unexpected(options.error());
  auto log = make_log(flags.node, Role::Master);
  auto trust = trust_of(flags.node, Role::Master, *log);
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), std::move(*trust));
  return open_hosted<BrokerServer>(std::move(hosted), *std::move(options));
}

}  // namespace cidbus
