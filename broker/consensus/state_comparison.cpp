#include "broker/consensus/state_comparison.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/limits/state_digest.h"

namespace cidbus::group {
namespace {

std::size_t place_of(LogIndex index) {
  return static_cast<std::size_t>(index.value / limits::digest_every % limits::digests_kept);
}

}  // namespace

// ---- the own state

void StateComparison::on_passed(const StateDigest& own) {
  if (own_.empty()) own_.resize(limits::digests_kept);
  own_[place_of(own.index)] = own;
  newest_ = own;
}

void StateComparison::on_replaced() {
  own_.clear();
  newest_ = {};
  told_ = {};
  replaced_ = replaced_ || trust_ == StateTrust::Quarantined;
  if (trust_ != StateTrust::Differs) trust_ = StateTrust::Good;
}

// ---- following

StateDigest StateComparison::at(LogIndex index) const {
  if (index == LogIndex{} || own_.empty() || is_quarantined()) return {};
  const StateDigest& own = own_[place_of(index)];
  return own.index == index ? own : StateDigest{};
}

StateComparison::Verdict StateComparison::on_told(const StateDigest& leaders, bool counts) {
  const StateDigest own = at(leaders.index);
  if (own.index == LogIndex{} || !counts) return Verdict::Nothing;
  const bool is_new = leaders.index != std::exchange(told_, leaders.index);
  if (own == leaders) {
    figures_.equal += is_new ? 1 : 0;
    agreed_ = std::max(agreed_, leaders.index);
    replaced_ = false;
    trust_ = StateTrust::Good;
    return Verdict::Nothing;
  }
  if (!holds(Rule::StatesCompared)) return Verdict::Nothing;
  if (replaced_) {
    figures_.again += is_new ? 1 : 0;
    if (std::exchange(trust_, StateTrust::Differs) == StateTrust::Differs) return Verdict::Nothing;
    return Verdict::WrongAgain;
  }
  ++figures_.different;
  trust_ = StateTrust::Quarantined;
  return Verdict::Wrong;
}

// ---- in office

void StateComparison::on_office() {
  asked_ = {};
  answers_ = {};
}

void StateComparison::ask(Monotonic now) {
  if (newest_.index == asked_.index) return;
  const bool settled = holders(asked_) + 1 == config_.size();
  const bool over = now - asked_at_ >= config_.timers.suspicion;
  if (asked_.index != LogIndex{} && !settled && !over) return;
  asked_ = newest_;
  asked_at_ = now;
  answers_ = {};
}

bool StateComparison::on_answer(Seat peer, const StateDigest& its) {
  if (asked_.index == LogIndex{} || its.index != asked_.index) return false;
  const bool is_new = !answers_[place(peer)];
  answers_[place(peer)] = its;
  if (holders(asked_) + 1 >= config_.majority()) agreed_ = std::max(agreed_, asked_.index);
  if (!is_new) return false;
  ++(its == asked_ ? figures_.equal : figures_.different);
  return its != asked_;
}

std::size_t StateComparison::holders(const StateDigest& digest) const {
  return static_cast<std::size_t>(std::count(answers_.begin(), answers_.end(), std::optional(digest)));
}

std::size_t StateComparison::silent() const {
  const auto answered =
      std::count_if(answers_.begin(), answers_.end(), [](const auto& answer) { return answer.has_value(); });
  return config_.size() - 1 - static_cast<std::size_t>(answered);
}

std::size_t StateComparison::most_against() const {
  std::size_t most = 0;
  for (const auto& answer : answers_)
    if (answer && *answer != asked_) most = std::max(most, holders(*answer));
  return most;
}

bool StateComparison::counts() const {
  if (asked_.index == LogIndex{}) return false;
  return most_against() + silent() < config_.majority() || !holds(Rule::DigestCounts);
}

bool StateComparison::is_outvoted() const {
  return asked_.index != LogIndex{} && most_against() >= config_.majority();
}

}  // namespace cidbus::group
