// A cluster by hand, a shell a node: a master that gives out tasks, workers that count words, and any other
// role beside them. Each prints what it is, what it does and how the cluster is, until Ctrl+C.
//
//   cluster_management_example --role master --cluster home --master 127.0.0.1:9096 --node-id m1
//   cluster_management_example --role worker --cluster home --master 127.0.0.1:9096 --node-id w1
//   cluster_management_example --role leecher --cluster home --master 127.0.0.1:9096 --node-id l1
#include <cidbus/cluster/cluster_monitor.h>
#include <cidbus/cluster/coordinator.h>
#include <cidbus/cluster/role_manager.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Line {
  cidbus::NodeRole role = cidbus::NodeRole::Worker;
  std::string cluster = "example";
  std::string master = "127.0.0.1:9096";
  std::string node_id;
  std::string data;  // empty: below ~/.local/state/cidbus
};

int fail(const std::string& message, int code) {
  std::cerr << "cluster_management_example: " << message << '\n';
  return code;
}

int fail(const cidbus::Fault& why) {
  return fail(why.message, why.kind == cidbus::FaultKind::Unavailable ? 69 : 1);
}

// The command line; nothing, after a line on stderr, when it makes no sense.
std::optional<Line> parse(int argc, char** argv) {
  Line line;
  std::map<std::string, std::string> given;
  for (int word = 1; word + 1 < argc; word += 2) given[argv[word]] = argv[word + 1];
  for (const auto& [flag, value] : given) {
    if (flag == "--role") {
      const auto role = cidbus::node_role_from_string(value);
      if (!role) return fail(role.error().message, 2), std::nullopt;
      line.role = *role;
    } else if (flag == "--cluster") {
      line.cluster = value;
    } else if (flag == "--master") {
      line.master = value;
    } else if (flag == "--node-id") {
      line.node_id = value;
    } else if (flag == "--data") {
      line.data = value;
    } else {
      return fail("there is no flag " + flag, 2), std::nullopt;
    }
  }
  if (argc % 2 == 1 && !line.node_id.empty()) return line;
  fail(
      "usage: --role master|worker|leecher|gateway|observer --node-id ID [--cluster NAME] [--master "
      "HOST:PORT] "
      "[--data FOLDER]",
      2);
  return std::nullopt;
}

void say(const Line& line, const std::string& what) {
  std::cout << line.node_id << ": " << what << std::endl;
}

// Once a second until Ctrl+C; `second` counts from 1.
template <typename Turn>
void each_second(const Turn& turn) {
  for (int second = 1; interrupted == 0; ++second) {
    turn(second);
    for (int part = 0; part < 20 && interrupted == 0; ++part)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// What this machine is good for, and how the role is set.
void print_role(const Line& line, const cidbus::RoleManager& node) {
  const cidbus::Value info(node.get_node_info());
  say(line, "role " + info["role"].shown() + ", capabilities " + info["capabilities"].shown());
  for (const auto& [role, fit] : *info["roles"].dict())
    say(line, "  as " + role + ": score " + fit["score"].shown() + ", limited by " + fit["limit"].shown());
  say(line, "  set to " + cidbus::Value(node.get_role_config())["config_overrides"].shown());
}

void print_health(const Line& line, const cidbus::Value& health) {
  say(line, "cluster is " + health["status"].shown() + ", " +
                std::to_string(health["node_statuses"].dict()->size()) + " nodes");
  for (const cidbus::Value& issue : *health["issues"].list()) say(line, "  " + issue.shown());
}

cidbus::Result<cidbus::Dict> count_words(const cidbus::Dict& task) {
  std::istringstream text{cidbus::Value(task)["text"].shown()};
  int words = 0;
  for (std::string word; text >> word;) ++words;
  return cidbus::Dict{{"words", words}};
}

// Submits a task a second once somebody can run it, and tells what came of those before.
class TaskGiver {
 public:
  TaskGiver(const Line& line, cidbus::ClusterCoordinator& node) : line_(line), node_(node) {}

  void turn(int second) {
    for (auto task = open_.begin(); task != open_.end();)
      task = has_ended(*task) ? open_.erase(task) : std::next(task);
    const cidbus::Value cluster(node_.get_cluster_status());
    bool worker = false;
    for (const cidbus::Value& member : *cluster["members"].list())
      worker = worker || (member["role"].shown() == "worker" && member["state"].shown() == "alive");
    if (!worker) return say(line_, "waiting for a worker");
    const auto id =
        node_.submit_task({{"type", "count_words"}, {"text", "task of second " + std::to_string(second)}});
    if (!id) return say(line_, id.error().message);
    say(line_, "task " + *id + " submitted");
    open_.push_back(*id);
  }

 private:
  bool has_ended(const std::string& id) {
    const auto status = node_.get_task_status(id);
    if (!status || status->at("completed_at").is_null()) return false;
    const cidbus::Value task(*status);
    say(line_, "task " + id + " " + task["status"].shown() + " on " + task["assigned_to"].shown() + ": " +
                   task["result"].shown() + task["error"].shown());
    return true;
  }

  const Line& line_;
  cidbus::ClusterCoordinator& node_;
  std::vector<std::string> open_;
};

int run_coordinator(const Line& line) {
  const bool is_master = line.role == cidbus::NodeRole::Master;
  cidbus::CoordinatorOptions options{
      .cluster_id = line.cluster, .node_id = line.node_id, .is_master = is_master};
  options.leadership_callback = [&](const std::string& leader, bool is_self) {
    say(line,
        leader.empty() ? "nobody leads" : leader + " leads" + (is_self ? ", and that is this node" : ""));
  };
  options.data = line.data;
  if (is_master) options.address = line.master;
  const auto node = std::make_shared<cidbus::ClusterCoordinator>(options);
  if (!is_master) node->register_task_handler("count_words", count_words).value();
  const auto entered = is_master ? node->create_cluster() : node->join_cluster(line.cluster, line.master);
  if (!entered) return fail(entered.error());
  say(line, "in cluster " + line.cluster + " at " + node->address());

  cidbus::ClusterMonitor monitor({.node_id = line.node_id,
                                  .alert_callback =
                                      [&](const cidbus::Dict& alert) {
                                        say(line, "alert, " + alert.at("level").shown() + ": " +
                                                      alert.at("message").shown());
                                      },
                                  .coordinator = node});
  TaskGiver tasks(line, *node);
  each_second([&](int second) {
    if (is_master) tasks.turn(second);
    if (second % 5 == 1) print_health(line, monitor.get_cluster_health());
  });
  monitor.shutdown();
  node->shutdown();
  return 0;
}

int run_role(const Line& line, cidbus::RoleManager& node) {
  const auto joined = node.join_cluster(line.cluster, line.master);
  if (!joined) return fail(joined.error());
  say(line, "in cluster " + line.cluster + " at " + node.address());
  each_second([&](int second) {
    if (second % 5 != 1) return;
    const cidbus::Value cluster(node.get_cluster_status());
    say(line, cluster["leader"].shown() + " leads, tasks " + cluster["tasks"].shown());
    for (const cidbus::Value& member : *cluster["members"].list())
      say(line,
          "  " + member["role"].shown() + " " + member["node_id"].shown() + " is " + member["state"].shown());
  });
  node.shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = parse(argc, argv);
  if (!line) return 2;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  cidbus::RoleManager role({.node_id = line->node_id, .initial_role = line->role, .data = line->data});
  print_role(*line, role);
  const bool coordinates = line->role == cidbus::NodeRole::Master || line->role == cidbus::NodeRole::Worker;
  const int code = coordinates ? run_coordinator(*line) : run_role(*line, role);
  if (code == 0) say(*line, "stopped");
  return code;
}
