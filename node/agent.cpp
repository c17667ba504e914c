#include "node/agent.h"

#include <cmath>

#include "shared/base/limits/roles.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

NodeIdentity identity_of(const Agent::Place& place) {
  return {place.cluster, agent_name(place.node), Role::Client, random_incarnation()};
}

}  // namespace

struct Agent::State : BusLink::Owner {
  State(SocketContext& context, Reactor& reactor, const Place& place, const MoveRecord& given_moves,
        Agent::Owner& given_owner, Log& given_log)
      : node(place.node),
        moves(given_moves),
        owner(given_owner),
        log(given_log),
        link(context, reactor, identity_of(place), place.brokers, *this) {}

  // ---- BusLink::Owner
  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Client;
    return hello;
  }
  void on_bound(Now now, const Welcome&) override { report(now); }
  void on_unbound(Now) override {}
  void on_message(Now now, const Header&, const Message& message) override {
    if (const auto* told = std::get_if<RoleChangeAnswer>(&message)) return owner.on_answer(now, *told);
    const auto* order = std::get_if<RoleChange>(&message);
    if (order == nullptr || order->node != node) return;
    if (order->token == answered.token) return tell_answer();
    owner.on_order(now, *order);
  }
  // The role says why in its own words; a key for an observer alone lets no client in.
  void on_refused(Now, const Refused& refused) override {
    log.debug("its role can be neither shown nor changed from afar: " + std::string(refused.reason));
  }

  void report(Now now) {
    next = now.monotonic + limits::role_report_every;
    if (!link.bound()) return;
    const RoleNews news = owner.news();
    const Detection detection = owner.chances();
    std::vector<std::string> limits_of;
    for (const RoleFit& fit : detection.fits) limits_of.push_back(text_of(fit));
    RoleReport report{node, news.role, news.next, news.since, news.by_itself, news.proposal, {}};
    for (std::size_t place = 0; place < detection.fits.size(); ++place) {
      const RoleFit& fit = detection.fits[place];
      const auto permille = static_cast<std::uint32_t>(std::lround(fit.score * 1000));
      report.chances.push_back({fit.role, fit.possible, permille, limits_of[place]});
    }
    link.send(report);
    link.send(Moves{{}, moves.moves()});
    if (news.wish != 0) link.send(RoleChange{{news.wish}, news.wish, node, news.wished, false, 0});
  }
  void tell_answer() {
    link.send(RoleChangeAnswer{{}, answered.token, node, answered.outcome, answered.reason});
  }

  struct Answered {
    std::uint64_t token = 0;  // 0: none yet
    RoleChangeOutcome outcome = RoleChangeOutcome::Done;
    std::string reason;
  };
  const std::string node;
  const MoveRecord& moves;
  Agent::Owner& owner;
  Log& log;
  Answered answered;
  Monotonic next{};
  BusLink link;
};

Agent::Agent(SocketContext& context, Reactor& reactor, const Place& place, const MoveRecord& moves,
             Owner& owner, Log& log)
    : state_(std::make_unique<State>(context, reactor, place, moves, owner, log)) {}

Agent::~Agent() = default;

Status Agent::open() { return state_->link.open(); }

void Agent::report(Now now) { state_->report(now); }

void Agent::answer(std::uint64_t order, RoleChangeOutcome outcome, std::string reason) {
  state_->answered = {order, outcome, std::move(reason)};
  state_->tell_answer();
}

Monotonic Agent::next() const { return state_->next; }

}  // namespace cidbus
