#include "cidbus/cluster/role_manager.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>

#include "client/library/public_values.h"
#include "node/library/cluster_bus.h"
#include "node/library/hosted_broker.h"
#include "node/role_words.h"
#include "shared/content/quote.h"
#include "shared/core/article.h"
#include "shared/io/allow_list.h"
#include "shared/io/clock.h"
#include "shared/io/machine_reader.h"
#include "shared/io/random.h"
#include "shared/node/role_policy.h"

namespace cidbus::v1 {
namespace {

using namespace std::chrono_literals;

constexpr Duration contact = 30s;  // that a cluster has to take the node in
constexpr Duration look_time = 2s;
constexpr auto asks_every = 20ms;

static_assert(static_cast<int>(NodeRole::Observer) == static_cast<int>(cidbus::Role::Observer));
cidbus::Role to_internal(NodeRole role) { return static_cast<cidbus::Role>(role); }
NodeRole to_public(cidbus::Role role) { return static_cast<NodeRole>(role); }
using v1::to_public;

const char* description_of(NodeRole role) {
  switch (role) {
    case NodeRole::Master:
      return "accepts, orders, hands out and records tasks; runs none";
    case NodeRole::Worker:
      return "runs tasks, stores blocks, serves them to other nodes";
    case NodeRole::Leecher:
      return "consumes: a small cache, works offline, hands in later what is submitted meanwhile";
    case NodeRole::Gateway:
      return "serves content over HTTP";
    case NodeRole::Observer:
      break;
  }
  return "watches: stores and processes no content";
}

// What its program is told beyond where and who it is.
Dict overrides_of(NodeRole role) {
  switch (role) {
    case NodeRole::Worker:
      return {{"exchange", "127.0.0.1:*"}, {"storage-max", "100GB"}};
    case NodeRole::Leecher:
      return {{"listen", "127.0.0.1:*"},
              {"exchange", "127.0.0.1:*"},
              {"http", "127.0.0.1:0"},
              {"cache-max", "10GB"}};
    case NodeRole::Gateway:
      return {{"http", "127.0.0.1:0"}};
    case NodeRole::Observer:
      return {{"plain", true}};
    case NodeRole::Master:
      break;
  }
  return {};
}

Result<double> number_in(const Dict& resources, const char* name, double otherwise) {
  const auto found = resources.find(name);
  if (found == resources.end() || found->second.is_null()) return otherwise;
  const double number = found->second.number(-1);
  if (number >= 0) return number;
  return Fault{FaultKind::BadUsage, std::string("resources: ") + name + " is " + found->second.shown() +
                                        "; give a number from 0 on"};
}

constexpr double mebibyte = 1 << 20;
constexpr double gibibyte = 1 << 30;

// What is measured, in the place of which what was given counts.
Result<Machine> machine_of(const Dict& resources) {
  Machine machine = read_machine(".");
  const auto memory = number_in(resources, "memory_available_mb",
                                static_cast<double>(machine.memory_available_bytes) / mebibyte);
  const auto disk =
      number_in(resources, "disk_available_gb", static_cast<double>(machine.disk_available_bytes) / gibibyte);
  const auto cores = number_in(resources, "cpu_count", machine.cores);
  const auto link = number_in(resources, "bandwidth_mbps", machine.link_megabits.value_or(0));
  const auto uptime = number_in(resources, "uptime_hours",
                                std::chrono::duration<double, std::ratio<3600>>(machine.uptime).count());
  for (const auto* number : {&memory, &disk, &cores, &link, &uptime})
    if (!*number) return number->error();
  machine.memory_available_bytes = static_cast<std::uint64_t>(*memory * mebibyte);
  machine.disk_available_bytes = static_cast<std::uint64_t>(*disk * gibibyte);
  machine.cores = *cores;
  if (*link > 0) machine.link_megabits = static_cast<std::uint32_t>(*link);
  machine.uptime =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::ratio<3600>>(*uptime));
  return machine;
}

Dict resources_of(const Machine& machine) {
  return {{"memory_available_mb", static_cast<double>(machine.memory_available_bytes) / mebibyte},
          {"disk_available_gb", static_cast<double>(machine.disk_available_bytes) / gibibyte},
          {"cpu_count", machine.cores},
          {"bandwidth_mbps", machine.link_megabits ? Value(*machine.link_megabits) : Value()},
          {"uptime_hours", std::chrono::duration<double, std::ratio<3600>>(machine.uptime).count()}};
}

Result<AllowList> read_allow_list() {
  const char* const path = std::getenv("CIDBUS_ALLOW_FILE");
  if (path == nullptr || *path == '\0')
    return Fault{FaultKind::NotFound, "there is no allow-list; CIDBUS_ALLOW_FILE names one"};
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return Fault{FaultKind::BadUsage, std::string(path) + " cannot be read"};
  auto list = AllowList::parse(text, path);
  if (!list) return to_public(list.error());
  return *std::move(list);
}

}  // namespace

std::string_view to_text(NodeRole role) { return cidbus::to_text(to_internal(role)); }

Result<NodeRole> node_role_from_string(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return std::tolower(letter); });
  const auto role = parse_role(lower);
  if (role && *role != cidbus::Role::Client) return to_public(*role);
  return Fault{FaultKind::BadUsage,
               in_quotes(text) + " is no role; there are master, worker, leecher, gateway and observer"};
}

struct RoleManager::State {
  explicit State(RoleManagerOptions given)
      : options(std::move(given)), began(read_clock().monotonic), opened(choose()) {
    if (options.node_id.empty()) options.node_id = "node-" + to_text(random_incarnation());
    tell_change(Value());
  }
  ~State() { leave(); }

  // ---- the role

  Status choose() {
    auto measured = machine_of(options.resources);
    if (!measured) return measured.error();
    machine = *measured;
    if (options.initial_role || !options.auto_detect) {
      role = options.initial_role.value_or(NodeRole::Leecher);
      return {};
    }
    const Detection detection = detect_role(machine, profiles, false);
    if (!detection.chosen) return Fault{FaultKind::BadUsage, detection.reason};
    role = to_public(*detection.chosen);
    return {};
  }

  [[nodiscard]] const RoleProfile& profile() const { return profile_of(profiles, to_internal(role)); }

  [[nodiscard]] Dict config() const {
    const RoleProfile& asked = profile();
    List capabilities;
    for (const std::string_view capability : asked.capabilities) capabilities.emplace_back(capability);
    Dict overrides = overrides_of(role);
    for (const auto& [name, value] : options.settings) overrides[name] = value;
    return {{"description", description_of(role)},
            {"required_resources", Dict{{"memory_available_mb", asked.minimum_memory_mb},
                                        {"disk_available_gb", asked.minimum_disk_gb},
                                        {"cpu_count", asked.wanted_cores},
                                        {"bandwidth_mbps", asked.wanted_mbit},
                                        {"uptime_hours", asked.wanted_uptime_h}}},
            {"capabilities", std::move(capabilities)},
            {"config_overrides", std::move(overrides)}};
  }

  void tell_change(Value old_role) {
    if (options.configuration_callback)
      options.configuration_callback(
          {{"old_role", std::move(old_role)}, {"new_role", to_text(role)}, {"config", config()}});
  }

  Status switch_to(NodeRole wanted) {
    if (wanted == role) return {};
    if (!options.role_switching_enabled)
      return Fault{FaultKind::NotAllowed, "switching is off; role_switching_enabled allows it"};
    const std::string refusal = role_refusal(machine, profile_of(profiles, to_internal(wanted)));
    if (!refusal.empty()) return Fault{FaultKind::NotAllowed, refusal};
    const NodeRole before = role;
    if (hosted != nullptr) {
      if (Status free = may_leave(wanted); !free) return free;
      static_cast<void>(stop_role(*hosted));
      hosted.reset();
    }
    role = wanted;
    if (bus != nullptr) {
      if (Status started = start_role(); !started) {
        role = before;
        static_cast<void>(start_role());
        return started;
      }
    }
    tell_change(to_text(before));
    return {};
  }

  // Whether the cluster does without what this node is.
  Status may_leave(NodeRole wanted) {
    if (role == NodeRole::Master)
      return Fault{FaultKind::NotAllowed,
                   "this node's broker is the cluster's only one; shut it down instead"};
    if (wanted == NodeRole::Master)
      return Fault{FaultKind::NotAllowed, "a running cluster takes no further broker; docs/configuration.md"};
    if (role != NodeRole::Worker) return {};
    bool others = false;
    const auto asked = bus->snapshot(look_time, [&](const Snapshot& snapshot) {
      others = std::any_of(snapshot.members.begin(), snapshot.members.end(), [&](const Member& member) {
        return member.role == cidbus::Role::Worker && member.state <= MemberState::Suspect &&
               member.name != options.node_id;
      });
    });
    if (!asked) return to_public(asked.error());
    if (others) return {};
    return Fault{FaultKind::NotAllowed, "this node is the cluster's last worker"};
  }

  // ---- the cluster

  Status prepare(const std::string& name) {
    if (!opened) return opened;
    if (bus != nullptr) return Fault{FaultKind::BadUsage, "this node is in a cluster already"};
    for (const std::string& text : {options.node_id, name}) {
      if (!is_valid_name(text))
        return Fault{FaultKind::BadUsage,
                     in_quotes(text) + " cannot name a node or a cluster; use 1 to 64 of A-Z a-z 0-9 . _ -"};
    }
    const auto usual = usual_data_folder(name, options.node_id);
    if (options.data.empty() && !usual) return to_public(usual.error());
    folder = options.data.empty() ? *usual : options.data;
    cluster = name;
    return {};
  }

  Status create(const std::string& name) {
    if (role != NodeRole::Master)
      return Fault{FaultKind::BadUsage, "only a master creates a cluster, and this node is " +
                                            with_article(to_text(role)) + "; join one, or switch its role"};
    if (Status ready = prepare(name); !ready) return ready;
    const Value settings(options.settings);
    auto broker = open_hosted_broker(name, options.node_id, folder + "/master", settings["listen"].shown());
    if (!broker) return to_public(broker.error());
    hosted = std::move(broker->role);
    return enter(broker->address);
  }

  Status join(const std::string& name, const std::string& master) {
    if (role == NodeRole::Master)
      return Fault{FaultKind::BadUsage, "a master creates its cluster; switch this node's role to join one"};
    if (Status place = check_cluster({master}, name); !place) return place;
    if (Status ready = prepare(name); !ready) return ready;
    return enter(master);
  }

  Status enter(const std::string& at) {
    address = at;
    bus = std::make_unique<ClusterBus>(cluster, options.node_id, std::vector{at});
    Status entered = to_public(bus->reach(contact));
    if (entered && hosted == nullptr) entered = start_role();
    if (!entered) leave();
    return entered;
  }

  Status start_role() {
    Words words{"--name=" + options.node_id, "--cluster=" + cluster, "--brokers=" + address,
                "--data=" + folder + "/" + std::string(to_text(role))};
    const Value overrides(config()["config_overrides"]);
    for (const auto& [name, value] : *overrides.dict()) {
      const bool* const flag = value.boolean();
      if (flag == nullptr) words.push_back("--" + name + "=" + value.shown());
      if (flag != nullptr && *flag) words.push_back("--" + name);
    }
    const auto checked = check_role_words(words);
    if (!checked) return to_public(checked.error());
    auto started =
        open_role(to_internal(role), words_of_role(to_internal(role), *checked, {to_internal(role)}));
    if (!started) return to_public(started.error());
    hosted = *std::move(started);
    return wait_until_member();
  }

  Status wait_until_member() {
    const Monotonic deadline = read_clock().monotonic + contact;
    do {
      bool is_member = false;
      static_cast<void>(bus->snapshot(look_time, [&](const Snapshot& snapshot) {
        for (const Member& member : snapshot.members)
          is_member |= member.name == options.node_id && member.role == to_internal(role) &&
                       member.state <= MemberState::Suspect;
      }));
      if (is_member) return {};
      std::this_thread::sleep_for(asks_every);
    } while (read_clock().monotonic < deadline);
    return Fault{FaultKind::Unavailable, "the brokers at " + address + " did not take node " +
                                             in_quotes(options.node_id) + " in within 30 s"};
  }

  void leave() {
    if (hosted != nullptr && role != NodeRole::Master) static_cast<void>(stop_role(*hosted));
    if (bus != nullptr) bus->close();
    bus.reset();
    if (hosted != nullptr && role == NodeRole::Master) static_cast<void>(stop_role(*hosted));
    hosted.reset();
    address.clear();
  }

  // ---- peers

  Result<List> peers_of(ClusterBus& asked) {
    List peers;
    const auto answered = asked.snapshot(look_time, [&](const Snapshot& snapshot) {
      for (const Member& member : snapshot.members)
        if (member.name != options.node_id) peers.emplace_back(member_dict(member));
    });
    if (!answered) return to_public(answered.error());
    return peers;
  }

  Result<List> discover() {
    if (bus != nullptr) return peers_of(*bus);
    List found;
    if (!options.cluster_discovery_callback) return found;
    for (const Value& place : options.cluster_discovery_callback()) {
      const std::string name = place["cluster_id"].shown();
      const std::string at = place["address"].shown();
      if (Status known = check_cluster({at}, name); !known) return known.error();
      ClusterBus visit(name, options.node_id, {at});
      const auto peers = peers_of(visit);
      if (!peers) continue;  // nobody is there just now
      for (const Value& peer : *peers) {
        Dict member = *peer.dict();
        member["cluster_id"] = name;
        member["broker"] = at;
        found.emplace_back(std::move(member));
      }
    }
    return found;
  }

  RoleManagerOptions options;
  const RoleProfiles profiles = default_profiles();
  const Monotonic began;
  mutable std::mutex lock;  // of all that follows: one call at a time
  Machine machine;
  NodeRole role = NodeRole::Leecher;
  Status opened;
  std::string folder;
  std::string cluster;
  std::string address;
  std::unique_ptr<ClusterBus> bus;      // null in no cluster
  std::unique_ptr<RunningRole> hosted;  // null where nothing runs
};

RoleManager::RoleManager(RoleManagerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
RoleManager::~RoleManager() = default;

Status RoleManager::status() const { return state_->opened; }

NodeRole RoleManager::role() const {
  const std::lock_guard guard(state_->lock);
  return state_->role;
}

bool RoleManager::can_handle_capability(std::string_view capability) const {
  const std::lock_guard guard(state_->lock);
  const auto& has = state_->profile().capabilities;
  return std::find(has.begin(), has.end(), capability) != has.end();
}

Dict RoleManager::get_role_config() const {
  const std::lock_guard guard(state_->lock);
  return state_->config();
}

Dict RoleManager::get_node_info() const {
  const std::lock_guard guard(state_->lock);
  Dict fits;
  for (const RoleProfile& profile : state_->profiles) {
    const RoleFit fit = fit_of(state_->machine, profile);
    fits.emplace(cidbus::to_text(fit.role),
                 Dict{{"possible", fit.possible}, {"score", fit.score}, {"limit", text_of(fit)}});
  }
  const auto alive = std::chrono::duration<double>(read_clock().monotonic - state_->began).count();
  return {{"node_id", state_->options.node_id},
          {"cluster_id", state_->cluster.empty() ? Value() : Value(state_->cluster)},
          {"role", to_text(state_->role)},
          {"resources", resources_of(state_->machine)},
          {"capabilities", Value(state_->config())["capabilities"]},
          {"uptime", alive},
          {"metadata", state_->options.metadata},
          {"address", state_->address},
          {"roles", std::move(fits)}};
}

Status RoleManager::switch_role(NodeRole role) {
  const std::lock_guard guard(state_->lock);
  return state_->switch_to(role);
}

Status RoleManager::create_cluster(const std::string& cluster_id) {
  const std::lock_guard guard(state_->lock);
  return state_->create(cluster_id);
}

Status RoleManager::join_cluster(const std::string& cluster_id, const std::string& master_address) {
  const std::lock_guard guard(state_->lock);
  return state_->join(cluster_id, master_address);
}

std::string RoleManager::address() const {
  const std::lock_guard guard(state_->lock);
  return state_->address;
}

Dict RoleManager::get_cluster_status() {
  const std::lock_guard guard(state_->lock);
  Dict status;
  if (state_->bus != nullptr)
    static_cast<void>(state_->bus->snapshot(
        look_time, [&](const Snapshot& snapshot) { status = snapshot_dict(snapshot); }));
  status.try_emplace("cluster_id", state_->cluster.empty() ? Value() : Value(state_->cluster));
  status.try_emplace("members", List{});
  status.try_emplace("leader", Value());
  status["node_id"] = state_->options.node_id;
  status["role"] = to_text(state_->role);
  return status;
}

Result<List> RoleManager::discover_peers() {
  const std::lock_guard guard(state_->lock);
  return state_->discover();
}

Result<bool> RoleManager::authenticate_peer(const std::string& peer, const std::string& public_key) const {
  const auto list = read_allow_list();
  if (!list) return list.error();
  const KeyHolder* const holder = list->find(public_key);
  return holder != nullptr && holder->name == peer;
}

Result<bool> RoleManager::is_peer_authorized(const std::string& peer, std::optional<NodeRole> in_role) {
  const auto list = read_allow_list();
  if (list) {
    return std::any_of(list->holders().begin(), list->holders().end(), [&](const KeyHolder& holder) {
      return holder.name == peer && (!in_role || holder.may_be(to_internal(*in_role)));
    });
  }
  if (list.error().kind != FaultKind::NotFound) return list.error();
  const std::lock_guard guard(state_->lock);
  if (state_->bus == nullptr) return false;
  bool is_member = false;
  const auto asked = state_->bus->snapshot(look_time, [&](const Snapshot& snapshot) {
    for (const Member& member : snapshot.members)
      is_member |= member.name == peer && member.state <= MemberState::Suspect &&
                   (!in_role || member.role == to_internal(*in_role));
  });
  if (!asked) return to_public(asked.error());
  return is_member;
}

void RoleManager::shutdown() {
  const std::lock_guard guard(state_->lock);
  state_->leave();
}

}  // namespace cidbus::v1
