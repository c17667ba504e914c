#include "shared/node/leader_link.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/promises.h"

namespace cidbus {
namespace {

constexpr Duration shortest_backoff = std::chrono::milliseconds(10);
constexpr Duration longest_backoff = std::chrono::seconds(1);
constexpr Duration answer_time = std::chrono::milliseconds(500);  // a broker gets this long to answer a hello

}  // namespace

LeaderLink::LeaderLink(std::vector<std::string> brokers, Prng prng)
    : brokers_(std::move(brokers)), connected_(brokers_.size()), prng_(prng) {
  ENSURE(!brokers_.empty());
}

std::size_t LeaderLink::add_broker(std::string address) {
  brokers_.push_back(std::move(address));
  connected_.push_back(false);
  return brokers_.size() - 1;
}

bool LeaderLink::leaderless() const {
  const bool any = std::find(connected_.begin(), connected_.end(), true) != connected_.end();
  return !bound_ && nobody_leads_ && any;
}

void LeaderLink::on_connected(Monotonic now, std::size_t broker) {
  connected_.at(broker) = true;
  if (!bound_) next_hello_ = now;
}

LeaderLink::Change LeaderLink::on_disconnected(Monotonic now, std::size_t broker) {
  connected_.at(broker) = false;
  if (!bound_ || broker != candidate_) return Change::None;
  unbind(now);
  return Change::Unbound;
}

LeaderLink::Change LeaderLink::on_message(Monotonic now, std::size_t broker, const Header& header,
                                          const Message& message, bool& accepted) {
  accepted = header.epoch >= epoch_ || !keeps(Promise::EpochFence);
  if (!accepted) return Change::None;
  epoch_ = header.epoch;
  if (bound_ && broker == candidate_) heard_ = now;
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    const bool was_bound = bound_ && broker == candidate_;
    bind(now, broker, *welcome);
    office_ = header.epoch;
    return was_bound ? Change::None : Change::Bound;
  }
  const bool from_leader = bound_ && broker == candidate_;
  if (from_leader && std::holds_alternative<Ping>(message))
    next_ping_ = std::min(next_ping_, std::max(now, last_ping_ + heartbeat_ / 2));
  if (const auto* redirect = std::get_if<Redirect>(&message)) {
    if (bound_ && !from_leader) return Change::None;
    if (from_leader) unbind(now);
    follow(now, *redirect);
    return from_leader ? Change::Unbound : Change::None;
  }
  const auto* refused = std::get_if<Refused>(&message);
  if (refused == nullptr) return Change::None;
  if (!bound_) {
    if (refused->why == Refusal::NotKnown) {  // says who leads, of a question that came before our hello
      candidate_ = broker;
      candidate_named_ = true;
      failures_ = 0;
    }
    retry_later(now);
    return Change::None;
  }
  if (from_leader && refused->why == Refusal::NotKnown) {  // it lost track of us: start over
    unbind(now);
    return Change::Unbound;
  }
  return Change::None;
}

LeaderLink::Change LeaderLink::on_leader_named(Monotonic now, std::string_view address, Epoch epoch) {
  const auto named = std::find(brokers_.begin(), brokers_.end(), address);
  if (named == brokers_.end() || epoch < epoch_ || (bound_ && epoch <= office_)) return Change::None;
  const bool was_bound = bound_;
  unbind(now);
  candidate_ = static_cast<std::size_t>(named - brokers_.begin());
  candidate_named_ = true;
  return was_bound ? Change::Unbound : Change::None;
}

void LeaderLink::bind(Monotonic now, std::size_t broker, const Welcome& welcome) {
  bound_ = true;
  candidate_ = broker;
  candidate_named_ = false;
  nobody_leads_ = false;
  failures_ = 0;
  heard_ = now;
  if (welcome.heartbeat.count() > 0) heartbeat_ = welcome.heartbeat;
  if (welcome.node_timeout.count() > 0) timeout_ = welcome.node_timeout;
  next_ping_ = now + heartbeat_;
}

void LeaderLink::set_periods(Monotonic now, Duration heartbeat, Duration timeout) {
  heartbeat_ = heartbeat;
  timeout_ = timeout;
  next_ping_ = std::min(next_ping_, now + heartbeat_);
}

void LeaderLink::unbind(Monotonic now) {
  bound_ = false;
  candidate_named_ = false;
  next_hello_ = now;
}

void LeaderLink::follow(Monotonic now, const Redirect& redirect) {
  nobody_leads_ = redirect.leader.empty();
  const auto named = std::find(brokers_.begin(), brokers_.end(), redirect.endpoint);
  if (named == brokers_.end()) {
    retry_later(now);
    return;
  }
  candidate_ = static_cast<std::size_t>(named - brokers_.begin());
  candidate_named_ = true;
  if (failures_ == 0) {
    next_hello_ = now;
    ++failures_;  // two brokers that name each other are asked with back-off
  } else {
    retry_later(now);
  }
}

void LeaderLink::retry_later(Monotonic now) {
  const Duration most = std::min(longest_backoff, shortest_backoff * (1U << std::min(failures_, 10U)));
  ++failures_;
  next_hello_ = now + Duration(prng_.between(1, static_cast<std::uint64_t>(most.count())));
}

bool LeaderLink::choose_candidate() {
  if (candidate_named_ && connected_[candidate_]) {
    candidate_named_ = false;
    return true;
  }
  for (std::size_t ahead = 1; ahead <= brokers_.size(); ++ahead) {
    const std::size_t place = (candidate_ + ahead) % brokers_.size();
    if (!connected_[place]) continue;
    candidate_ = place;
    return true;
  }
  return false;
}

LeaderLink::Step LeaderLink::step(Monotonic now) {
  if (bound_ && now - heard_ >= timeout_) {
    unbind(now);
    return {Action::None, candidate_, Change::Unbound};
  }
  if (bound_) {
    if (now < next_ping_) return {};
    last_ping_ = now;
    next_ping_ = now + heartbeat_;
    return {Action::Ping, candidate_, Change::None};
  }
  if (now < next_hello_ || !choose_candidate()) return {};
  const Duration jitter(prng_.below(static_cast<std::uint64_t>(answer_time.count() / 2)));
  next_hello_ = now + answer_time + jitter;
  return {Action::Hello, candidate_, Change::None};
}

Monotonic LeaderLink::deadline() const {
  if (bound_) return std::min(next_ping_, heard_ + timeout_);
  const bool any = std::find(connected_.begin(), connected_.end(), true) != connected_.end();
  return any ? next_hello_ : Monotonic::max();
}

}  // namespace cidbus
