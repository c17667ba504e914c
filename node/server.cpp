#include "node/server.h"

namespace cidbus {
namespace {

std::string text(Role role) { return std::string(to_text(role)); }

}  // namespace

struct NodeServer::State {
  State(NodeServerOptions given, Log& given_log) : options(std::move(given)), log(given_log) {}

  Status open() {
    std::vector<OpenRole> roles;
    for (const Role role : options.roles) roles.push_back(opener(role));
    return stage.open(roles);
  }
  OpenRole opener(Role role) {
    return [this, role] { return options.open(role); };
  }

  [[nodiscard]] bool may_leave() const { return options.may_switch && options.roles.front() != Role::Master; }

  std::optional<Monotonic> turn(Now now) {
    if (!may_leave() || wanted || is_stopping) return std::nullopt;
    if (!change_of_mind)
      change_of_mind.emplace(options.profiles, now.monotonic, options.roles.front(), options.broker_wanted);
    if (now.monotonic < change_of_mind->next()) return change_of_mind->next();
    if (const auto wish = change_of_mind->measure(now.monotonic, options.measure())) {
      log.warning("leaves its role of " + text(options.roles.front()) + " for that of " + text(wish->role) +
                  ": " + wish->reason);
      wanted = wish->role;
      stage.change({opener(wish->role), opener(options.roles.front())});
    }
    return change_of_mind->next();
  }

  void on_changed(Now now) {
    for (const Status& changed : stage.take_changed()) {
      if (changed) {
        options.roles = {*wanted};
        log.warning("is a " + text(*wanted) + " now");
      } else {
        log.warning("stays a " + text(options.roles.front()) + ": " + changed.error().message);
      }
      wanted.reset();
      change_of_mind->settle(now.monotonic, options.roles.front());
    }
  }

  NodeServerOptions options;
  Log& log;
  Stage stage;
  std::optional<RoleSwitch> change_of_mind;
  std::optional<Role> wanted;  // while a change is under way
  bool is_stopping = false;
};

NodeServer::NodeServer(NodeServerOptions options, Log& log)
    : state_(std::make_unique<State>(std::move(options), log)) {}

NodeServer::~NodeServer() = default;

Status NodeServer::open() {
  if (Status opened = state_->open(); !opened) return opened;
  reactor().watch(state_->stage.changed_descriptor(), [this](Now now) { state_->on_changed(now); });
  reactor().watch(state_->stage.ended_descriptor(), [this](Now) { end(state_->stage.wait()); });
  reactor().at_turn_end([this](Now now) { return state_->turn(now); });
  start();
  return {};
}

void NodeServer::on_stop(Now) {
  state_->is_stopping = true;
  state_->stage.ask_to_stop();
}

void NodeServer::stop_now() { state_->stage.stop_now(); }

}  // namespace cidbus
