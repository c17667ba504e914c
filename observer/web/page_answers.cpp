#include "observer/web/page_answers.h"

#include <algorithm>

#include "client/command/json_writer.h"
#include "shared/base/limits/web_page.h"
#include "shared/content/cid.h"
#include "shared/node/config_keys.h"

namespace cidbus {
namespace {

void time(JsonWriter& json, std::string_view name, WallTime value) {
  json.name(name);
  value.milliseconds > 0 ? json.number(static_cast<std::uint64_t>(value.milliseconds)) : json.null();
}

std::string value_text(const Proposal& proposal) {
  if (proposal.kind == ProposalKind::MembershipChange) return proposal.value != 0 ? "forbid" : "allow";
  const auto key = find_config_key(proposal.subject);
  return key ? config_value_text(info_of(*key), proposal.value) : std::to_string(proposal.value);
}

std::string proposal_row(const Proposal& proposal) {
  JsonWriter json;
  json.open_object().name("id").number(proposal.id).name("type").string(to_text(proposal.kind));
  json.name("subject").string(proposal.subject).name("value").string(value_text(proposal));
  json.name("status").string(to_text(proposal.status)).name("by").string(proposal.proposer);
  time(json, "proposed", proposal.proposed_at);
  time(json, "deadline", proposal.deadline);
  time(json, "decided", proposal.decided_at);
  json.name("version").number(proposal.version).name("eligible").number(proposal.eligible);
  json.name("yes").number(proposal.yes).name("no").number(proposal.no).name("votes").open_array();
  for (const VoteInfo& vote : proposal.votes) {
    json.open_object().name("voter").string(vote.voter).name("yes").boolean(vote.yes);
    json.name("person").boolean(vote.by_person).name("reason").string(vote.reason).close_object();
  }
  json.close_array().name("waiting").open_array();
  for (const std::string_view voter : proposal.waiting) json.string(voter);
  return json.close_array().close_object().text();
}

}  // namespace

void PageAnswers::take(const Configuration& configuration) {
  Rows& rows = tables_["config"];
  rows.clear();
  for (const ConfigKeyInfo& key : config_keys()) {
    const auto entry = std::find_if(configuration.entries.begin(), configuration.entries.end(),
                                    [&](const ConfigEntry& one) { return one.key == key.name; });
    const bool voted = entry != configuration.entries.end();
    JsonWriter json;
    json.open_object().name("value");
    json.string(config_value_text(key, voted ? entry->value : key.initial));
    json.name("initial").string(config_value_text(key, key.initial));
    json.name("bounds").string(bounds_text(key)).name("meaning").string(key.meaning);
    if (voted) {
      json.name("version").number(entry->version).name("proposal").number(entry->proposal);
      time(json, "since", entry->since);
    }
    rows.emplace(key.name, json.close_object().text());
  }
  Rows& forbidden = tables_["forbidden"];
  forbidden.clear();
  for (const std::string_view name : configuration.forbidden) forbidden.emplace(name, "true");
}

void PageAnswers::take(const Proposals& proposals) {
  Rows& rows = tables_["proposals"];
  rows.clear();
  open_ = false;
  for (const Proposal& proposal : proposals.proposals) {
    if (rows.size() >= limits::page_proposals) break;
    rows.emplace(std::to_string(proposal.id), proposal_row(proposal));
    open_ = open_ || proposal.status == ProposalStatus::Pending;
  }
}

void PageAnswers::take(const ContentNames& names) {
  Rows& rows = tables_["names"];
  rows.clear();
  for (const ContentName& name : names.entries) {
    if (rows.size() >= limits::page_names) break;
    const auto cid = Cid::from_bytes(name.cid);
    JsonWriter json;
    json.open_object().name("cid").string(cid ? to_text(*cid) : "");
    time(json, "named", name.named_at);
    json.name("tags").open_object();
    for (const auto& [key, value] : name.tags) json.name(key).string(value);
    rows.emplace(name.name, json.close_object().close_object().text());
  }
}

void PageAnswers::put(PageLedger& ledger) const {
  for (const auto& [name, rows] : tables_) {
    ledger.begin(name);
    for (const auto& [key, json] : rows) ledger.put(key, json);
    ledger.end();
  }
}

}  // namespace cidbus
