#include "cidbus/cluster/membership_manager.h"

#include <algorithm>
#include <mutex>

#include "broker/cluster/membership.h"
#include "node/library/task_dict.h"
#include "node/library/ticker.h"
#include "shared/base/ids.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"

namespace cidbus::v1 {
namespace {

Duration time_of(Seconds seconds) {
  return std::chrono::duration_cast<Duration>(std::clamp(seconds, Seconds(0.01), Seconds(1e8)));
}

std::chrono::milliseconds looks_every(const MembershipOptions& options) {
  const auto quarter =
      std::chrono::duration_cast<std::chrono::milliseconds>(time_of(options.node_timeout) / 8);
  return std::clamp(quarter, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
}

}  // namespace

struct MembershipManager::State {
  explicit State(MembershipOptions given)
      : options(std::move(given)), table(time_of(options.node_timeout), time_of(options.node_timeout)) {}

  Status handle(const Dict& heartbeat) {
    const Value told(heartbeat);
    const std::string name = told["node_id"].shown();
    if (!is_valid_name(name))
      return Fault{FaultKind::BadUsage, in_quotes(name) +
                                            " cannot name a node; a heartbeat is a dict with its name "
                                            "under 'node_id', 1 to 64 of A-Z a-z 0-9 . _ -"};
    const std::string cluster = told["cluster_id"].shown();
    if (!cluster.empty() && cluster != options.cluster_id)
      return Fault{FaultKind::NotAllowed, "node " + name + " is of cluster " + in_quotes(cluster) +
                                              ", not of " + in_quotes(options.cluster_id)};
    const auto* number = told["incarnation"].whole();
    const Incarnation incarnation{number == nullptr ? 0 : static_cast<std::uint64_t>(*number)};
    const std::string state = told["state"].shown();
    const std::lock_guard guard(lock);
    if (state == "left" || state == "dead") {
      table.goodbye(read_clock(), name, incarnation);
    } else if (state == "suspect") {  // of which whoever tells this hears nothing
      const auto* known = table.find(name);
      const bool is_new = known == nullptr || !Membership::is_live(*known);
      if (is_new && !greet(name, incarnation, told)) return another_incarnation(name);
      table.connection_broke(read_clock(), name, incarnation);
    } else if (!table.heard(read_clock(), name, incarnation)) {
      if (!greet(name, incarnation, told)) return another_incarnation(name);
    }
    more[name] = heartbeat;
    ticker.wake();
    return {};
  }

  static Fault another_incarnation(const std::string& name) {
    return {FaultKind::NotAllowed, "node " + name + " is alive in another incarnation"};
  }

  bool greet(const std::string& name, Incarnation incarnation, const Value& told) {
    const auto* known = table.find(name);
    if (known != nullptr && incarnation.value < known->incarnation.value) return false;
    Hello hello;
    hello.role = parse_role(told["role"].shown()).value_or(Role::Worker);
    return table.hello(read_clock(), name, incarnation, hello, true) == Membership::HelloAnswer::Welcome;
  }

  void tick() {
    std::vector<Dict> changes;
    {
      const std::lock_guard guard(lock);
      const Now now = read_clock();
      if (!table.heard(now, options.node_id, own))
        static_cast<void>(greet(options.node_id, own, Value(Dict{{"role", "client"}})));
      for (const std::string& name : table.take_changes(now)) {
        if (const auto* node = table.find(name)) changes.push_back(describe(name, *node));
      }
      std::erase_if(more, [&](const auto& entry) { return table.find(entry.first) == nullptr; });
    }
    for (const Dict& member : changes)
      if (options.membership_callback) options.membership_callback(member.at("state").shown(), member);
  }

  [[nodiscard]] Dict describe(const std::string& name, const Membership::Node& node) const {
    Dict member;
    if (const auto told = more.find(name); told != more.end()) member = told->second;
    member["node_id"] = name;
    const bool died = node.state == MemberState::Left && Value(member)["state"].shown() == "dead";
    if (!died) member["state"] = to_text(node.state);
    if (!member.contains("role")) member["role"] = to_text(node.role);
    if (!member.contains("last_seen")) member["last_seen"] = seconds_of(node.last_seen);
    if (name == options.node_id && !more.contains(name)) member["last_seen"] = seconds_of(read_clock().wall);
    return member;
  }

  [[nodiscard]] List members(bool active) const {
    const std::lock_guard guard(lock);
    List list;
    for (const auto& [name, node] : table.nodes())
      if (Membership::is_live(node) == active) list.emplace_back(describe(name, node));
    return list;
  }

  const MembershipOptions options;
  const Incarnation own{0};
  mutable std::mutex lock;
  Membership table;
  std::map<std::string, Dict> more;  // what members said of themselves
  Ticker ticker;
};

MembershipManager::MembershipManager(MembershipOptions options)
    : state_(std::make_shared<State>(std::move(options))) {
  static_cast<void>(state_->greet(state_->options.node_id, state_->own, Value(Dict{{"role", "client"}})));
  state_->ticker.start(looks_every(state_->options), [state = state_] { state->tick(); });
}

MembershipManager::~MembershipManager() { shutdown(); }

Status MembershipManager::handle_heartbeat(const Dict& heartbeat) { return state_->handle(heartbeat); }
List MembershipManager::get_active_members() const { return state_->members(true); }
List MembershipManager::get_departed_members() const { return state_->members(false); }

Dict MembershipManager::get_member_count() const {
  const std::size_t active = get_active_members().size();
  const std::size_t departed = get_departed_members().size();
  return {{"active", active}, {"departed", departed}, {"total", active + departed}};
}

void MembershipManager::shutdown() { state_->ticker.stop(); }

}  // namespace cidbus::v1
