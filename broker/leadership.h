// Leadership: what a broker does while it leads: the nodes that speak to it, who holds which block, and the
// tasks. It is made when office is taken and dies when it is left; whoever leads next makes its own from the
// replicated state and from what nodes say.
//
// Invariants
//  1. A peer to which something could not be delivered, or that is silent for the node timeout, is
//     forgotten; it says hello again.
//  2. A question about tasks is answered with a state that holds everything accepted before it was asked
//     (CONSENSUS section 9).
//
// Thread rule: the driver's; no clock, no socket, no file. Limits: limits/brokers.h.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "broker/broker.h"
#include "broker/cluster/content_index.h"
#include "broker/cluster/membership.h"
#include "broker/feed_publisher.h"
#include "broker/peers.h"
#include "broker/replica.h"
#include "broker/tasks/config_service.h"
#include "broker/tasks/name_service.h"
#include "broker/tasks/role_service.h"
#include "broker/tasks/task_service.h"
#include "broker/voice.h"
#include "shared/core/key_holder.h"

namespace cidbus {

class Leadership : public Output, private RoleFacts {
 public:
  // What it stands on; all of it outlives the office.
  struct Ground {
    const BrokerOptions& options;
    Voice& voice;
    BrokerPorts& ports;
    Replica& replica;
    StateMachine& state;
    FeedPublisher& feed;
    BrokerMetrics& metrics;
    Log& log;
    WallTime started_at;  // of the process
  };
  // REQUIRES: the office's OPEN is applied.
  Leadership(const Ground& ground, Epoch epoch, Prng prng);

  // Rebuilds the leader's own part from the state, some of it a call; true once that is done. Nothing else
  // may be called before, and the state stays as it is.
  bool take(Now now);

  // A message of this cluster and version; `holder`: of the key it came with, null where no keys are in use.
  void on_message(Now now, ByteView routing_id, const Header& from, const Message& message, ByteView frame,
                  const KeyHolder* holder);
  // A heartbeat or the metrics off a node's PUB; false when it is neither.
  bool on_node_feed(Now now, const Header& from, const Feed& message, ByteView frame,
                    const KeyHolder* holder);
  void on_keys_taken(Now now, const std::function<const KeyHolder*(std::string_view)>& holder_of);
  void on_connection_broke() { probes_due_ = 2; }
  void on_applied(Now now, const Changes& changes);
  // A broker's vote on a proposal: this one's own, or one that a standby has sent.
  void on_broker_vote(Now now, std::string_view broker, const VoteRecord& vote) {
    now_ = now;
    config_.on_broker_vote(broker, vote);
  }
  void on_reads_confirmed(std::uint64_t round);
  // The one that was offered the office leaves it where it is.
  void on_not_taken_over(group::Seat successor);

  // Whether submissions are taken; `why` not.
  void admit(bool admitted, std::string_view why) {
    tasks_.admit(admitted, why);
    names_.admit(admitted, why);
    config_.admit(admitted, why);
  }
  // What is due, and what the turn has collected; before the journal's batch is sealed.
  void end_turn(Now now);
  // Only what applied records have made ready: with durability `memory`, once more after the batch.
  void send_collected(Now now) { tasks_deadline_ = tasks_.end_turn(now); }
  // The last of a turn; when it wants to be called again at the latest.
  Monotonic finish_turn(Now now);

  // Office is left: whoever spoke here is told who leads now, if that is known.
  void send_away(const Redirect& leader);

  // Work done since the last call, in the units of frame_work.h.
  std::size_t take_work() { return std::exchange(work_, 0); }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }
  // Those that only a leader knows; and away with them.
  void read_metrics(Now now);
  static void clear_metrics(Registry& registry);

  // ---- Output
  LogIndex propose(RecordType type, ByteView payload, Urgency urgency) override;
  void send(Peer peer, const Message& message) override;
  void event(const TaskEvent& task) override { ground_.feed.add_task_event(now_, task); }

 private:
  // ---- RoleFacts
  [[nodiscard]] std::vector<RoleFacts::Node> nodes() const override;
  [[nodiscard]] bool is_of_group(std::string_view name) const override;
  [[nodiscard]] std::string loss_of(std::string_view broker,
                                    const std::vector<std::string_view>& away) const override;
  [[nodiscard]] bool answers(group::Seat seat) const;

  void on_hello(ByteView routing_id, const Header& from, const Hello& hello, const KeyHolder* holder);
  [[nodiscard]] bool admit_member(ByteView routing_id, const Header& from, const Hello& hello,
                                  bool other_is_gone);
  void on_peer_message(Peer peer, const Message& message, ByteView frame, const KeyHolder* holder);
  [[nodiscard]] bool is_reachable(Peer peer);
  void on_goodbye(Peer peer);
  void forget(Peer peer);
  void forget_silent();
  void forget_undeliverable();
  void probe_connections();
  void tell_connection_broke(Peer peer);
  void on_heartbeat(Now now, const HeartbeatEvent& beat, const Header& from, ByteView frame);
  void follow_members();
  void ask_suspect(std::string_view name);
  void tell_history(Peer peer, const MemberHistoryRequest& asked);
  void tell_leader();
  void tell_counters();
  void send_snapshot(Peer peer, RequestId request);
  void ask_later(Peer peer, ByteView frame);
  void answer_confirmed();
  void follow_config(const Changes& changes);
  void live_by_config();
  [[nodiscard]] std::vector<std::string> voters() const;
  void tell_proposal(const Change& change);
  void tell_configuration();
  void cut_off_forbidden();
  void on_handover_request(Peer peer, const HandoverRequest& wish);
  void answer_handover(Peer peer, RequestId request, HandoverOutcome outcome, std::string_view reason);

  [[nodiscard]] const group::Member& self() const {
    return ground_.options.group.at(ground_.options.group.self());
  }

  Ground ground_;
  Epoch epoch_;
  Now now_;  // of the turn
  Membership membership_;
  ContentIndex content_;
  Peers peers_;
  TaskService tasks_;
  NameService names_;
  RoleService roles_;
  ConfigService config_;
  ConfigValues values_;  // in force
  Monotonic tasks_deadline_ = Monotonic::max();
  Monotonic config_deadline_ = Monotonic::max();
  std::size_t work_ = 0;
  struct Undeliverable {
    Peer peer;
    bool connection_is_gone;
  };
  std::vector<Undeliverable> undeliverable_;  // of this turn
  // A question that waits for its read round, and then for the state.
  struct Question {
    std::uint64_t round;
    Peer peer;
    Bytes frame;
  };
  std::deque<Question> questions_;
  std::uint64_t confirmed_round_ = 0;
  LogIndex confirmed_commit_;  // what a confirmed question must see
  struct Wish {
    Peer peer;
    RequestId request;
  };
  std::optional<Wish> handover_wish_;  // under way; who leads next answers it
  Decoder decoder_;
  int probes_due_ = 0;
  Monotonic next_probe_{};
  Monotonic next_leader_{};
  Monotonic next_counters_{};
};

}  // namespace cidbus
