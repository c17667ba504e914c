#include "broker/tasks/workers.h"

#include <algorithm>

#include "shared/base/ensure.h"

namespace cidbus {

void Workers::begin(const NameTable& nodes) {
  *this = Workers();
  for (NodeNumber number = 1; number <= nodes.size(); ++number) number_of(nodes.name(number));
}

NodeNumber Workers::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? NodeNumber{0} : found->second;
}

NodeNumber Workers::find(Peer peer) const {
  const auto found = by_peer_.find(static_cast<std::uint32_t>(peer));
  return found == by_peer_.end() ? NodeNumber{0} : found->second;
}

NodeNumber Workers::number_of(std::string_view name) {
  if (const NodeNumber known = find(name); known != 0) return known;
  if (count() >= limits::workers) return 0;
  const auto number = static_cast<NodeNumber>(workers_.size());
  workers_.emplace_back();
  workers_.back().name = name;
  by_name_.emplace(name, number);
  return number;
}

void Workers::connect(NodeNumber number, Peer peer, std::vector<std::string> offers, const NameTable& types) {
  disconnect(number);
  std::sort(offers.begin(), offers.end());
  offers.erase(std::unique(offers.begin(), offers.end()), offers.end());
  Worker& worker = workers_[number];
  worker.peer = peer;
  worker.greeted = true;
  worker.group = group_of(std::move(offers), types);
  ++groups_[worker.group].members;
  by_peer_[static_cast<std::uint32_t>(peer)] = number;
  ++connected_;
}

void Workers::disconnect(NodeNumber number) {
  Worker& worker = workers_[number];
  if (worker.peer == Peer::Nobody) return;
  leave_ring(number);
  worker.credit = 0;
  by_peer_.erase(static_cast<std::uint32_t>(worker.peer));
  worker.peer = Peer::Nobody;
  --connected_;
  WorkerGroup& group = groups_[worker.group];
  if (--group.members == 0) {
    for (const std::string& type : group.offers) {
      const auto found = offered_.find(type);
      if (--found->second == 0) offered_.erase(found);
    }
    by_offers_.erase(group.offers);
    group = WorkerGroup{};
  }
  worker.group = 0;
}

std::uint32_t Workers::group_of(std::vector<std::string> offers, const NameTable& types) {
  if (const auto known = by_offers_.find(offers); known != by_offers_.end()) return known->second;
  std::uint32_t number = 1;
  while (number < groups_.size() && groups_[number].members > 0) ++number;
  if (number == groups_.size()) groups_.emplace_back();
  WorkerGroup& group = groups_[number];
  for (const std::string& type : offers) {
    if (const TypeNumber known = types.find(type); known != 0) group.types.add(known);
    ++offered_[type];
  }
  by_offers_.emplace(offers, number);
  group.offers = std::move(offers);
  return number;
}

void Workers::on_type_added(std::string_view name, TypeNumber number) {
  if (!is_offered(name)) return;
  for (WorkerGroup& group : groups_) {
    if (std::binary_search(group.offers.begin(), group.offers.end(), name)) group.types.add(number);
  }
}

std::set<std::string_view> Workers::offered() const {
  std::set<std::string_view> names;
  for (const auto& [name, groups] : offered_) names.insert(name);
  return names;
}

void Workers::add_credit(NodeNumber number, std::uint32_t credit) {
  Worker& worker = workers_[number];
  if (worker.peer == Peer::Nobody) return;
  const std::uint32_t most = limits::tasks_a_worker;
  worker.credit = std::min(worker.credit + std::min(credit, most), most);
  settle(number);
}

void Workers::set_slots(NodeNumber number, std::uint32_t slots) {
  workers_[number].slots = slots;
  settle(number);
}

void Workers::add_expected(NodeNumber number, RunTimes::Time time) {
  ++workers_[number].running;
  workers_[number].expected += time;
  settle(number);
}

void Workers::end_expected(NodeNumber number, RunTimes::Time time) {
  Worker& worker = workers_[number];
  ENSURE(worker.running > 0 && worker.expected >= time, "worker", worker.name);
  --worker.running;
  worker.expected -= time;
  settle(number);
}

void Workers::settle(NodeNumber number) {
  const Worker& worker = workers_[number];
  if (worker.peer != Peer::Nobody && worker.credit > 0 && !worker.is_full())
    enter_ring(number);
  else
    leave_ring(number);
}

void Workers::drop_credit(NodeNumber number) {
  leave_ring(number);
  workers_[number].credit = 0;
}

void Workers::enter_ring(NodeNumber number) {
  Worker& worker = workers_[number];
  if (worker.ring_next != 0) return;
  WorkerGroup& group = groups_[worker.group];
  if (group.front == 0) {
    worker.ring_next = worker.ring_previous = group.front = number;
  } else {  // at the end: before the front
    worker.ring_next = group.front;
    worker.ring_previous = workers_[group.front].ring_previous;
    workers_[worker.ring_previous].ring_next = number;
    workers_[worker.ring_next].ring_previous = number;
  }
  ++group.ready;
  ++ready_;
}

void Workers::leave_ring(NodeNumber number) {
  Worker& worker = workers_[number];
  if (worker.ring_next == 0) return;
  WorkerGroup& group = groups_[worker.group];
  workers_[worker.ring_previous].ring_next = worker.ring_next;
  workers_[worker.ring_next].ring_previous = worker.ring_previous;
  if (group.front == number) {
    group.front = worker.ring_next == number ? NodeNumber{0} : worker.ring_next;
    group.turn = 0;
  }
  worker.ring_next = worker.ring_previous = 0;
  --group.ready;
  --ready_;
}

NodeNumber Workers::take_turn(WorkerGroup& group, std::uint32_t quantum) {
  const NodeNumber number = group.front;
  ENSURE(number != 0 && workers_[number].credit > 0, "worker", number);
  if (--workers_[number].credit == 0) {
    leave_ring(number);
  } else if (++group.turn >= quantum) {
    group.front = workers_[number].ring_next;
    group.turn = 0;
  }
  return number;
}

void Workers::check_invariants() const {
  std::uint32_t connected = 0;
  for (std::size_t number = 1; number < workers_.size(); ++number) {
    const Worker& worker = workers_[number];
    const bool in_ring = worker.ring_next != 0;
    const bool takes = worker.peer != Peer::Nobody && worker.credit > 0 && !worker.is_full();
    ENSURE(in_ring == takes, "worker", worker.name);
    ENSURE((worker.peer == Peer::Nobody) == (worker.group == 0), "worker", worker.name);
    connected += worker.peer != Peer::Nobody ? 1 : 0;
  }
  ENSURE(connected == connected_, "connected", connected);
  std::uint32_t ready = 0;
  for (const WorkerGroup& group : groups_) {
    std::uint32_t members = 0;
    NodeNumber at = group.front;
    if (at != 0) {
      do {
        ++members;
        at = workers_[at].ring_next;
      } while (at != group.front);
    }
    ENSURE(members == group.ready, "group of", group.members);
    ready += members;
  }
  ENSURE(ready == ready_, "ready", ready);
}

}  // namespace cidbus
