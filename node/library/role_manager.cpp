#include "cidbus/cluster/role_manager.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <mutex>
#include <set>
#include <thread>

#include "client/library/public_values.h"
#include "node/library/cluster_bus.h"
#include "node/library/hosted_broker.h"
#include "node/library/role_facts.h"
#include "node/role_words.h"
#include "node/server.h"
#include "shared/content/quote.h"
#include "shared/core/article.h"
#include "shared/io/clock.h"
#include "shared/io/hosted_role.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/random.h"
#include "shared/node/role_policy.h"

namespace cidbus::v1 {
namespace {

using namespace std::chrono_literals;

constexpr Duration contact = 30s;  // that a cluster has to take the node in
constexpr Duration look_time = 2s;
constexpr auto asks_every = 20ms;
constexpr const char* told_here = "library";  // who keeps what it was told

static_assert(static_cast<int>(NodeRole::Observer) == static_cast<int>(cidbus::Role::Observer));
cidbus::Role to_internal(NodeRole role) { return static_cast<cidbus::Role>(role); }
NodeRole to_public(cidbus::Role role) { return static_cast<NodeRole>(role); }
using v1::to_public;

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

  [[nodiscard]] const RoleProfile& profile(NodeRole of) const {
    return profile_of(profiles, to_internal(of));
  }
  [[nodiscard]] KeyOptions keys() const { return keys_of(options.key_file, options.allow_file); }

  [[nodiscard]] Dict overrides(NodeRole of) const {
    Dict flags = overrides_of(of);
    for (const auto& [name, value] : options.settings) flags[name] = value;
    return flags;
  }

  [[nodiscard]] Dict config(NodeRole of) const {
    const RoleProfile& asked = profile(of);
    List capabilities;
    for (const std::string_view capability : asked.capabilities) capabilities.emplace_back(capability);
    return {{"description", description_of(of)},
            {"required_resources", Dict{{"memory_available_mb", asked.minimum_memory_mb},
                                        {"disk_available_gb", asked.minimum_disk_gb},
                                        {"cpu_count", asked.wanted_cores},
                                        {"bandwidth_mbps", asked.wanted_mbit},
                                        {"uptime_hours", asked.wanted_uptime_h}}},
            {"capabilities", std::move(capabilities)},
            {"config_overrides", overrides(of)}};
  }

  void tell_change(Value old_role) {
    const NodeRole now = role;
    told_role = now;
    if (!options.configuration_callback) return;
    const Telling here(*this);
    options.configuration_callback(
        {{"old_role", std::move(old_role)}, {"new_role", to_text(now)}, {"config", config(now)}});
  }

  // While a callback runs on this thread: what waits for the callback to end is refused to it.
  class Telling {
   public:
    explicit Telling(State& state) : state_(state) {
      const std::lock_guard guard(state_.lock);
      state_.telling.insert(std::this_thread::get_id());
    }
    ~Telling() {
      const std::lock_guard guard(state_.lock);
      state_.telling.extract(std::this_thread::get_id());
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;

   private:
    State& state_;
  };
  [[nodiscard]] bool is_in_callback() const {
    const std::lock_guard guard(lock);
    return telling.contains(std::this_thread::get_id());
  }

  // One at a time of what comes, goes and changes; not from a callback.
  template <typename Doing>
  Status do_alone(const Doing& what) {
    if (is_in_callback())
      return Fault{FaultKind::BadUsage, "a callback may ask the node that calls it, but not change it"};
    const std::lock_guard one_at_a_time(doing);
    return what();
  }

  Status switch_to(NodeRole wanted) {
    if (wanted == role) return {};
    if (!options.role_switching_enabled)
      return Fault{FaultKind::NotAllowed, "switching is off; role_switching_enabled allows it"};
    const std::string refusal = role_refusal(machine, profile_of(profiles, to_internal(wanted)));
    if (!refusal.empty()) return Fault{FaultKind::NotAllowed, refusal};
    if (hosted != nullptr) {
      const auto asking = current();
      if (Status free = may_leave(*asking, wanted); !free) return free;
      const auto changed = asking->change_role(options.node_id, to_internal(wanted), false);
      return changed ? wait_until_member(*asking) : to_public(changed);
    }
    const NodeRole before = role;
    role = wanted;
    tell_change(to_text(before));
    return {};
  }

  // Whether the cluster does without what this node is.
  Status may_leave(ClusterBus& asking, NodeRole wanted) {
    if (role == NodeRole::Master)
      return Fault{FaultKind::NotAllowed, "this node is a broker of its cluster; shut it down instead"};
    if (wanted == NodeRole::Master)
      return Fault{FaultKind::NotAllowed, "a running cluster takes no further broker; docs/configuration.md"};
    if (role != NodeRole::Worker) return {};
    bool others = false;
    const auto asked = asking.snapshot(look_time, [&](const Snapshot& snapshot) {
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

  [[nodiscard]] std::shared_ptr<ClusterBus> current() const {
    const std::lock_guard guard(lock);
    return bus;
  }

  Status prepare(const std::string& name) {
    if (!opened) return opened;
    if (current() != nullptr) return Fault{FaultKind::BadUsage, "this node is in a cluster already"};
    for (const std::string& text : {options.node_id, name}) {
      if (!is_valid_name(text))
        return Fault{FaultKind::BadUsage,
                     in_quotes(text) + " cannot name a node or a cluster; use 1 to 64 of A-Z a-z 0-9 . _ -"};
    }
    const auto usual = usual_data_folder(name, options.node_id);
    if (options.data.empty() && !usual) return to_public(usual.error());
    folder = options.data.empty() ? *usual : options.data;
    return {};
  }

  Status create(const std::string& name) {
    if (role != NodeRole::Master)
      return Fault{FaultKind::BadUsage, "only a master creates a cluster, and this node is " +
                                            with_article(to_text(role)) + "; join one, or switch its role"};
    if (Status ready = prepare(name); !ready) return ready;
    return start_broker(name);
  }

  Status start_broker(const std::string& name) {
    const Value settings(options.settings);
    auto broker = open_hosted_broker({name, options.node_id, folder + "/master", settings["listen"].shown(),
                                      settings["group"].shown(), keys()});
    if (!broker) return to_public(broker.error());
    hosted = std::move(broker->role);
    return enter(name, broker->address);
  }

  Status join(const std::string& name, const std::string& master) {
    if (Status place = check_cluster({master}, name); !place) return place;
    const std::string group = ',' + Value(options.settings)["group"].shown();
    if (role == NodeRole::Master && group.find('=' + master + '/') == std::string::npos)
      return Fault{FaultKind::BadUsage, "a master creates its cluster, or is one of a group that names " +
                                            master + "; switch this node's role to join one"};
    if (Status ready = prepare(name); !ready) return ready;
    return role == NodeRole::Master ? start_broker(name) : enter(name, master);
  }

  Status enter(const std::string& name, const std::string& at) {
    auto entering = std::make_shared<ClusterBus>(name, options.node_id, std::vector{at}, keys());
    {
      const std::lock_guard guard(lock);
      bus = entering;
      cluster = name;
      address = at;
    }
    Status entered = to_public(entering->reach(contact));
    if (entered && hosted == nullptr) entered = start_role(*entering);
    if (!entered) leave();
    return entered;
  }

  // On the calling thread, and later on that of the stage: it changes nothing but `role`. What it reads is as
  // it is for as long as a role runs.
  cidbus::Result<std::unique_ptr<RunningRole>> open(cidbus::Role wanted) {
    Words words{"--name=" + options.node_id, "--cluster=" + cluster, "--brokers=" + address,
                "--data=" + folder + "/" + std::string(cidbus::to_text(wanted))};
    if (const KeyOptions files = keys(); !files.key.empty()) {
      words.push_back("--key-file=" + files.key);
      if (!files.allow.empty()) words.push_back("--allow-file=" + files.allow);
    }
    for (const auto& [name, value] : overrides(to_public(wanted))) {
      const bool* const flag = value.boolean();
      if (flag == nullptr) words.push_back("--" + name + "=" + value.shown());
      if (flag != nullptr && *flag) words.push_back("--" + name);
    }
    const auto checked = check_role_words(words);
    if (!checked) return tl::unexpected(checked.error());
    auto started = open_role(wanted, words_of_role(wanted, *checked, {wanted}));
    if (started) role = to_public(wanted);
    return started;
  }

  // The role with the agent that changes it; by itself where switching is off.
  Status start_role(ClusterBus& asking) {
    auto started = options.role_switching_enabled ? open_node() : open(to_internal(role));
    if (!started) return to_public(started.error());
    hosted = *std::move(started);
    return wait_until_member(asking);
  }

  cidbus::Result<std::unique_ptr<RunningRole>> open_node() {
    PosixFileSystem files;
    if (auto made = files.create_directory(folder); !made) return tl::unexpected(made.error());
    const auto told = read_told_role(files, folder, told_here);
    if (!told) return tl::unexpected(told.error());
    NodeServerOptions node;
    node.roles = {to_internal(role)};
    node.profiles = profiles;
    node.place = {cluster, options.node_id, {address}};
    node.folder = folder;
    node.told = *told;
    node.open = [this](cidbus::Role wanted) { return open(wanted); };
    node.measure = [this] { return machine; };
    node.keep = [this](const ToldRole& now) { return keep(now); };
    auto trust = trust_or_fault(keys());
    if (trust.fault) return tl::unexpected(*trust.fault);
    auto ground =
        std::make_unique<HostedRole>(make_stderr_log(options.node_id, LogLevel::Error), std::move(trust));
    return open_hosted<NodeServer>(std::move(ground), std::move(node));
  }

  // On the node's thread. Of what it was told only the vote is kept: the program says in which role it
  // starts.
  cidbus::Status keep(const ToldRole& now) {
    if (const NodeRole before = told_role; before != role) tell_change(to_text(before));
    PosixFileSystem files;
    return keep_told_role(files, folder, told_here, {std::nullopt, now.proposal});
  }

  Status wait_until_member(ClusterBus& asking) {
    const Monotonic deadline = read_clock().monotonic + contact;
    do {
      bool is_member = false;
      static_cast<void>(asking.snapshot(look_time, [&](const Snapshot& snapshot) {
        for (const Member& member : snapshot.members)
          is_member |= member.name == options.node_id && member.role == to_internal(role) &&
                       member.state <= MemberState::Suspect;
      }));
      const bool is_whole =
          !options.role_switching_enabled || asking.takes_orders(options.node_id, look_time).value_or(false);
      if (is_member && is_whole) return {};
      std::this_thread::sleep_for(asks_every);
    } while (read_clock().monotonic < deadline && !asking.is_closed());
    if (asking.is_closed()) return Fault{FaultKind::Unavailable, "this node is being shut down"};
    return Fault{FaultKind::Unavailable, "the brokers at " + address + " did not take node " +
                                             in_quotes(options.node_id) + " in within 30 s"};
  }

  void leave() {
    if (const auto asking = current()) asking->close();
    if (hosted != nullptr) static_cast<void>(stop_role(*hosted));
    hosted.reset();
    const std::lock_guard guard(lock);
    bus.reset();
    cluster.clear();
    address.clear();
  }

  // What is under way ends first: it holds `doing`, and may wait for minutes.
  void shutdown() {
    if (is_in_callback()) return;
    if (const auto asking = current()) asking->close();
    const std::lock_guard one_at_a_time(doing);
    leave();
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

  List ask_for_clusters() {
    if (!options.cluster_discovery_callback) return {};
    const Telling here(*this);
    return options.cluster_discovery_callback();
  }

  Result<List> discover() {
    if (const auto asking = current()) return peers_of(*asking);
    List found;
    for (const Value& place : ask_for_clusters()) {
      const std::string name = place["cluster_id"].shown();
      const std::string at = place["address"].shown();
      if (Status known = check_cluster({at}, name); !known) return known.error();
      ClusterBus visit(name, options.node_id, {at}, keys());
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

  RoleManagerOptions options;  // as they are from the start
  const RoleProfiles profiles = default_profiles();
  const Monotonic began;
  Machine machine;                                      // as it was at the start
  std::atomic<NodeRole> role = NodeRole::Leecher;       // set by the stage's thread, too
  std::atomic<NodeRole> told_role = NodeRole::Leecher;  // to the callback
  std::multiset<std::thread::id> telling;               // threads that run a callback; under `lock`
  mutable std::mutex lock;                              // held for moments, and for no callback
  std::string cluster;                                  // under `lock`, as what follows; empty in none
  std::string address;
  std::shared_ptr<ClusterBus> bus;  // null in no cluster; shared with calls under way
  Status opened;

  std::mutex doing;  // of what comes and goes, and of what follows
  std::string folder;
  std::unique_ptr<RunningRole> hosted;  // null where nothing runs
};

RoleManager::RoleManager(RoleManagerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
RoleManager::~RoleManager() = default;

Status RoleManager::status() const { return state_->opened; }

NodeRole RoleManager::role() const { return state_->role; }

bool RoleManager::can_handle_capability(std::string_view capability) const {
  const auto& has = state_->profile(state_->role).capabilities;
  return std::find(has.begin(), has.end(), capability) != has.end();
}

Dict RoleManager::get_role_config() const { return state_->config(state_->role); }

Dict RoleManager::get_node_info() const {
  Dict fits;
  for (const RoleProfile& profile : state_->profiles) {
    const RoleFit fit = fit_of(state_->machine, profile);
    fits.emplace(cidbus::to_text(fit.role),
                 Dict{{"possible", fit.possible}, {"score", fit.score}, {"limit", text_of(fit)}});
  }
  const auto alive = std::chrono::duration<double>(read_clock().monotonic - state_->began).count();
  const NodeRole role = state_->role;
  const std::lock_guard guard(state_->lock);
  return {{"node_id", state_->options.node_id},
          {"cluster_id", state_->cluster.empty() ? Value() : Value(state_->cluster)},
          {"role", to_text(role)},
          {"resources", resources_of(state_->machine)},
          {"capabilities", Value(state_->config(role))["capabilities"]},
          {"uptime", alive},
          {"metadata", state_->options.metadata},
          {"address", state_->address},
          {"roles", std::move(fits)}};
}

Status RoleManager::switch_role(NodeRole role) {
  return state_->do_alone([&] { return state_->switch_to(role); });
}

Status RoleManager::create_cluster(const std::string& cluster_id) {
  return state_->do_alone([&] { return state_->create(cluster_id); });
}

Status RoleManager::join_cluster(const std::string& cluster_id, const std::string& master_address) {
  return state_->do_alone([&] { return state_->join(cluster_id, master_address); });
}

std::string RoleManager::address() const {
  const std::lock_guard guard(state_->lock);
  return state_->address;
}

Dict RoleManager::get_cluster_status() {
  Dict status;
  if (const auto asking = state_->current())
    static_cast<void>(
        asking->snapshot(look_time, [&](const Snapshot& snapshot) { status = snapshot_dict(snapshot); }));
  const std::lock_guard guard(state_->lock);
  status.try_emplace("cluster_id", state_->cluster.empty() ? Value() : Value(state_->cluster));
  status.try_emplace("members", List{});
  status.try_emplace("leader", Value());
  status["node_id"] = state_->options.node_id;
  status["role"] = to_text(state_->role);
  return status;
}

Result<List> RoleManager::discover_peers() { return state_->discover(); }

Status RoleManager::assign_role_to_peer(const std::string& peer, NodeRole role, bool force) {
  const auto asking = state_->current();
  if (asking == nullptr)
    return Fault{FaultKind::BadUsage, "this node is in no cluster; create or join one first"};
  if (state_->is_in_callback())
    return Fault{FaultKind::BadUsage, "a callback may ask, but not change roles, which would wait for it"};
  return to_public(asking->change_role(peer, to_internal(role), force));
}

Result<bool> RoleManager::authenticate_peer(const std::string& peer, const std::string& public_key) const {
  const auto list = read_allow_list(state_->keys());
  if (!list) return list.error();
  const KeyHolder* const holder = list->find(public_key);
  return holder != nullptr && holder->name == peer;
}

Result<bool> RoleManager::is_peer_authorized(const std::string& peer, std::optional<NodeRole> in_role) {
  const auto list = read_allow_list(state_->keys());
  if (list) {
    return std::any_of(list->holders().begin(), list->holders().end(), [&](const KeyHolder& holder) {
      return holder.name == peer && (!in_role || holder.may_be(to_internal(*in_role)));
    });
  }
  if (list.error().kind != FaultKind::NotFound) return list.error();
  const auto asking = state_->current();
  if (asking == nullptr) return false;
  bool is_member = false;
  const auto asked = asking->snapshot(look_time, [&](const Snapshot& snapshot) {
    for (const Member& member : snapshot.members)
      is_member |= member.name == peer && member.state <= MemberState::Suspect &&
                   (!in_role || member.role == to_internal(*in_role));
  });
  if (!asked) return to_public(asked.error());
  return is_member;
}

void RoleManager::shutdown() { state_->shutdown(); }

}  // namespace cidbus::v1
