#include "node/server.h"

#include "shared/core/article.h"
#include "shared/io/clock.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

std::string text(Role role) { return std::string(to_text(role)); }

}  // namespace

struct NodeServer::State : Agent::Owner {
  State(SocketContext& sockets, Reactor& reactor, NodeServerOptions given, Log& given_log)
      : options(std::move(given)),
        log(given_log),
        moves(files, options.folder, log),
        told(options.told),
        since(read_clock().wall) {
    if (options.roles.size() == 1) agent.emplace(sockets, reactor, options.place, moves, *this, log);
  }

  Status open() {
    std::vector<OpenRole> roles;
    for (const Role role : options.roles) roles.push_back(opener(role));
    if (Status opened = stage.open(roles); !opened) return opened;
    const Status joined = agent ? agent->open() : Status{};
    if (joined) return {};
    stage.ask_to_stop();
    static_cast<void>(stage.wait());
    return joined;
  }
  OpenRole opener(Role role) {
    return [this, role] { return options.open(role); };
  }
  [[nodiscard]] Role role() const { return options.roles.front(); }
  [[nodiscard]] bool by_itself() const { return options.may_switch && !told.role && role() != Role::Master; }

  // ---- changing by itself
  std::optional<Monotonic> turn(Now now) {
    if (agent && now.monotonic >= agent->next()) agent->report(now);
    const std::optional<Monotonic> next = agent ? std::optional(agent->next()) : std::nullopt;
    if (!by_itself() || change || is_stopping) return next;
    if (!change_of_mind)
      change_of_mind.emplace(options.profiles, now.monotonic, role(), options.broker_wanted);
    if (now.monotonic >= change_of_mind->next()) make_wish(now);
    return std::min(*next, change_of_mind->next());
  }
  // As long as it is not answered it is as its newest measurement says.
  void make_wish(Now now) {
    auto wished = change_of_mind->measure(now.monotonic, options.measure());
    const bool is_new = wished && (!wish || wish->role != wished->role);
    wish = std::move(wished);
    if (!is_new) return;
    wish_token = random_incarnation().value | 1;
    agent->report(now);
  }
  void on_answer(Now now, const RoleChangeAnswer& answer) override {
    if (!wish || answer.token != wish_token) return;
    log.warning("stays " + with_article(text(role())) + ": " + std::string(answer.reason));
    wish.reset();
    change_of_mind->settle(now.monotonic, role());
  }

  // ---- Agent::Owner
  [[nodiscard]] RoleNews news() const override {
    const Role next = change ? change->role : Role::Client;
    if (!wish || change) return {role(), next, since, by_itself(), told.proposal};
    return {role(), next, since, by_itself(), told.proposal, wish_token, wish->role};
  }
  Detection chances() override {
    return detect_role(options.measure(), options.profiles, options.broker_wanted);
  }
  void on_order(Now now, const RoleChange& order) override {
    if (change && change->token == order.token) return;  // answered when it is over
    if (change || is_stopping) {
      const std::string doing =
          change ? "it is changing to " + with_article(text(change->role)) : "it is being stopped";
      return agent->answer(order.token, RoleChangeOutcome::Refused, doing + " already; try again");
    }
    if (order.token == wish_token) {
      if (!wish) return agent->answer(order.token, RoleChangeOutcome::Refused, "it wishes so no longer");
      return begin(now, {order.role, std::exchange(wish, std::nullopt)->reason, order.token, true}, false);
    }
    told.proposal = std::max(told.proposal, order.proposal);
    const RoleProfile& profile = profile_of(options.profiles, order.role);
    if (order.role != role()) {
      if (const std::string why = role_refusal(options.measure(), profile); !why.empty()) {
        keep();
        agent->report(now);
        return agent->answer(order.token, RoleChangeOutcome::Refused, why);
      }
      const std::string why = order.proposal == 0
                                  ? "a person said so"
                                  : "proposal " + std::to_string(order.proposal) + " was accepted";
      return begin(now, {order.role, why, order.token, false}, order.force);
    }
    told.role = order.role;  // it is in it, and keeps it
    keep();
    agent->report(now);
    agent->answer(order.token, RoleChangeOutcome::Done, {});
  }

  // ---- the change itself
  struct Under {
    Role role;
    std::string reason;
    std::uint64_t token;  // of the order
    bool is_wish;         // its own, and so no role that it was told
  };
  void begin(Now now, Under wanted, bool force) {
    log.warning("leaves its role of " + text(role()) + " for that of " + text(wanted.role) + ": " +
                wanted.reason);
    change = std::move(wanted);
    wish.reset();
    stage.change({opener(change->role), opener(role()), force});
    agent->report(now);
  }

  void on_changed(Now now) {
    for (const Stage::Changed& changed : stage.take_changed()) {
      const Under done = std::move(*change);
      change.reset();
      if (!changed.left_behind.empty()) log.warning("left behind what only it had: " + changed.left_behind);
      if (changed.status) {
        moves.add(now.wall, "role", text(role()), text(done.role), done.reason);
        options.roles = {done.role};
        since = now.wall;
        log.warning("is " + with_article(text(done.role)) + " now");
      } else {
        log.warning("stays " + with_article(text(role())) + ": " + changed.status.error().message);
      }
      if (change_of_mind) change_of_mind->settle(now.monotonic, role());
      if (changed.status && !done.is_wish) told.role = role();
      if (!done.is_wish) keep();
      agent->report(now);
      agent->answer(done.token, changed.status ? RoleChangeOutcome::Done : RoleChangeOutcome::Failed,
                    changed.status ? changed.left_behind : changed.status.error().message);
    }
  }

  void keep() {
    if (Status kept = options.keep(told); !kept)
      log.warning("the role it was told is not kept over a restart: " + kept.error().message);
  }

  NodeServerOptions options;
  Log& log;
  PosixFileSystem files;
  MoveRecord moves;
  Stage stage;
  ToldRole told;
  WallTime since;
  std::optional<RoleSwitch> change_of_mind;
  std::optional<RoleSwitch::Wish> wish;  // for which the leader's leave is asked
  std::uint64_t wish_token = 0;          // of the last one
  std::optional<Under> change;           // while it is under way
  bool is_stopping = false;
  std::optional<Agent> agent;  // of a node of one role
};

NodeServer::NodeServer(SocketContext& context, NodeServerOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

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

void NodeServer::change_log_level(int steps_louder) { state_->stage.change_log_level(steps_louder); }

}  // namespace cidbus
