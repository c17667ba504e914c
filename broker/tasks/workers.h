// The workers a leader knows in its office: what they offer, how many more tasks each may be sent.
//
// Workers that offer the same types are one group, and a group's workers with credit stand in a ring. So the
// next task is chosen once a group, not once a worker, and goes to whoever has waited longest.
//
// Invariants
//  1. A worker is in its group's ring when it is connected, has credit and is not full, and only then.
//  2. A group's set has the numbers of those of its types that the state knows.
//
// Thread rule: one owner. Limits: limits::workers names, limits::tasks_a_worker credit each.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/tasks/backlog.h"
#include "broker/tasks/leases.h"
#include "broker/tasks/names.h"
#include "broker/tasks/output.h"
#include "broker/tasks/run_times.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {

struct Worker {
  std::string name;
  Peer peer = Peer::Nobody;  // Nobody: not connected
  std::uint32_t credit = 0;
  std::uint32_t group = 0;  // 0: none
  LeaseList leases;
  // What it was sent and has not told the end of, and how long that is expected to run.
  std::uint32_t slots = 0;  // 0: it does not say; then it is never full
  std::uint32_t running = 0;
  RunTimes::Time expected{0};
  // A task in each slot, and as much work before them as it may have.
  [[nodiscard]] bool is_full() const {
    return slots > 0 && running >= slots && expected >= slots * RunTimes::ahead;
  }
  NodeNumber ring_previous = 0;  // 0: not in the ring
  NodeNumber ring_next = 0;
  bool greeted = false;  // has said hello in this office
  std::uint32_t completing =
      0;  // ends it has told whose records are on the way; limits::tasks_a_worker at most
  // What this turn has for it, as places in the service's lists; 0: nothing.
  std::uint32_t dispatch_first = 0, dispatch_last = 0;
  std::uint32_t acks_first = 0, acks_last = 0;
};

struct WorkerGroup {
  std::vector<std::string> offers;  // sorted; empty: the group is not in use
  TypeSet types;
  std::uint32_t members = 0;  // connected
  std::uint32_t ready = 0;    // in the ring
  NodeNumber front = 0;       // of the ring: whose turn it is
  std::uint32_t turn = 0;     // tasks it was given in this turn
};

class Workers {
 public:
  // Nothing known but the names the state has given numbers, none connected.
  void begin(const NameTable& nodes);

  // The number of this name, given now when it is new; 0 when limits::workers names are known.
  NodeNumber number_of(std::string_view name);
  [[nodiscard]] NodeNumber find(std::string_view name) const;
  [[nodiscard]] NodeNumber find(Peer peer) const;
  [[nodiscard]] Worker& operator[](NodeNumber number) { return workers_[number]; }
  [[nodiscard]] std::size_t count() const { return workers_.size() - 1; }

  // Connected from here on, without credit.
  void connect(NodeNumber number, Peer peer, std::vector<std::string> offers, const NameTable& types);
  void disconnect(NodeNumber number);
  void add_credit(NodeNumber number, std::uint32_t credit);
  void drop_credit(NodeNumber number);
  void set_slots(NodeNumber number, std::uint32_t slots);
  // An attempt that is expected to run so long is on its way to it; it has told its end, or lost it.
  void add_expected(NodeNumber number, RunTimes::Time time);
  void end_expected(NodeNumber number, RunTimes::Time time);
  // One task goes to the worker whose turn it is. Its turn lasts `quantum` tasks. REQUIRES: the ring has one.
  NodeNumber take_turn(WorkerGroup& group, std::uint32_t quantum);

  // A type has got its number: groups that offer it can be given its tasks.
  void on_type_added(std::string_view name, TypeNumber number);
  [[nodiscard]] std::vector<WorkerGroup>& groups() { return groups_; }
  [[nodiscard]] std::uint32_t ready() const { return ready_; }  // workers with credit
  [[nodiscard]] std::uint32_t connected() const { return connected_; }
  // Whether a connected worker offers the type.
  [[nodiscard]] bool is_offered(std::string_view type) const { return offered_.count(type) != 0; }
  [[nodiscard]] std::set<std::string_view> offered() const;  // by connected workers
  void check_invariants() const;

 private:
  std::uint32_t group_of(std::vector<std::string> offers, const NameTable& types);
  void settle(NodeNumber number);  // into the ring, or out of it
  void enter_ring(NodeNumber number);
  void leave_ring(NodeNumber number);

  std::vector<Worker> workers_{1};
  std::unordered_map<std::string, NodeNumber> by_name_;
  std::unordered_map<std::uint32_t, NodeNumber> by_peer_;
  std::vector<WorkerGroup> groups_{1};
  std::map<std::vector<std::string>, std::uint32_t> by_offers_;
  std::map<std::string, std::uint32_t, std::less<>> offered_;  // type -> groups in use that offer it
  std::uint32_t ready_ = 0;
  std::uint32_t connected_ = 0;
};

}  // namespace cidbus
