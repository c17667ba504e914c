#include "broker/tasks/name_service.h"

#include "shared/base/limits/names.h"

namespace cidbus {
namespace {

constexpr std::chrono::milliseconds busy_retry{100};
constexpr std::chrono::milliseconds full_retry{60'000};

}  // namespace

bool NameService::on_message(Peer peer, const Message& message) {
  const bool mine =
      std::holds_alternative<NameContent>(message) || std::holds_alternative<FindContent>(message);
  if (mine && state_ == nullptr) return output_.send(peer, Redirect{}), true;
  if (const auto* wanted = std::get_if<NameContent>(&message)) return on_name(peer, *wanted), true;
  if (const auto* question = std::get_if<FindContent>(&message)) return on_find(peer, *question), true;
  return false;
}

void NameService::on_name(Peer peer, const NameContent& wanted) {
  if (!refusal_.empty() && !wanted.entry.cid.empty())
    return output_.send(peer, Refused{Refusal::Exhausted, refusal_, full_retry});
  if (on_the_way_.size() >= limits::names_on_the_way)
    return output_.send(peer, Refused{Refusal::Exhausted, "too many names are on their way", busy_retry});
  const NameRecord record{wanted.entry.name, wanted.entry.cid, wanted.entry.tags};
  if (!state_->catalogue().has_room(record, coming_)) {
    return output_.send(
        peer, Refused{Refusal::Exhausted,
                      "the cluster keeps no more names; take some off with 'cidbus forget'", full_retry});
  }
  Bytes payload;
  encode(record, payload);
  const LogIndex index = output_.propose(RecordType::Name, payload, Urgency::Now);
  on_the_way_.push_back({index, peer, wanted.request, std::string(record.name), cost_of(record)});
  coming_ += cost_of(record);
}

void NameService::on_peer_gone(Peer peer) {
  for (OnTheWay& one : on_the_way_) {
    if (one.peer == peer) one.peer = Peer::Nobody;
  }
}

void NameService::on_applied(LogIndex applied) {
  while (!on_the_way_.empty() && on_the_way_.front().index <= applied) {
    const OnTheWay done = on_the_way_.front();
    on_the_way_.pop_front();
    coming_ -= done.cost;
    ContentNames answer{done.request, {}, {}};
    if (const auto now = state_->catalogue().find(done.name)) answer.entries.push_back(*now);
    output_.send(done.peer, answer);
  }
}

void NameService::on_find(Peer peer, const FindContent& question) {
  Catalogue::Page page = state_->catalogue().find(question);
  output_.send(peer, ContentNames{question.request, std::move(page.entries), page.next});
}

}  // namespace cidbus
