// Replication, the leader's side: what each follower has, what it is sent next, and what is committed
// (CONSENSUS R1 to R3, R5; BEATs and good standing, E9).
//
// A follower is sent batches as soon as they are made, before anything is on disk anywhere, as far as its
// window reaches. It is believed to hold what was sent until it says otherwise: then it names the highest
// position it holds, and either that is known here, and sending goes on behind it, or this log's nearest
// position below is asked for in turn. So logs that differ are joined in a round trip an office.
//
//   mode        means                                           left by
//   Streaming   what is sent continues what was sent before     a reject: back to what it holds, or Asking
//   Asking      an empty APPEND asks whether `after` is held    its answer
//   Reading     the next batches are being read from disk       on_read
//   Snapshot    they are not in the journal any more            the snapshot is in place (snapshot_sender.h)
//
// Invariants
//  1. I5: committed() <= what a majority holds durably (with durability `memory`: has received); the own copy
//     counts once it is on the own disk ★.
//  2. R3: committed() is a record of the own epoch ★.
//  3. What is under way to a follower and not acknowledged is bounded by its window.
//
// Thread rule: pure; one owner. A turn costs O(members), whatever it carries. Limits: limits::window_batches,
// limits::window_bytes_in_flight, limits::append_batches, limits::append_bytes.
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "broker/consensus/effects.h"
#include "broker/consensus/group_config.h"
#include "broker/consensus/log_window.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {

class Replication {
 public:
  enum class Mode : std::uint8_t { Streaming, Asking, Reading, Snapshot };

  struct Follower {
    Mode mode = Mode::Streaming;
    LogPosition after;  // the next batch sent is the one behind it
    LogIndex match;     // it holds this log up to here, as it said last
    LogIndex durable;   // and on its disk up to here; only grows within an office, but for on_lost()
    LogIndex stored;    // on its disk, though it does not count: it is being repaired (D3)
    std::optional<Monotonic> lost_at;  // it said that its journal is lost, and has not counted since
    bool disk_full = false;
    std::int32_t priority = 0;  // effective, as it said last; -1: unfit
    struct Sent {
      LogIndex last;
      std::size_t bytes;
    };
    std::deque<Sent> in_flight;  // oldest first
    std::size_t bytes_in_flight = 0;
    Monotonic heard_at{};          // an acknowledgement, or the last attempt to get one
    Monotonic acked_at{};          // when the last BEAT that it answered was sent (E9)
    std::uint64_t read_round = 0;  // the last it confirmed

    // Whether it misses no beat.
    [[nodiscard]] bool answers(Monotonic now, const Timers& timers) const {
      return acked_at != Monotonic::min() && now - acked_at < 2 * timers.heartbeat;
    }
  };

  explicit Replication(const GroupConfig& config) : config_(config) {}

  // Office is taken: everyone is believed to hold the log as it is. `voters` answered at `asked_at`.
  void begin(Monotonic now, const LogWindow& log, Epoch epoch, SeatSet voters, Monotonic asked_at);

  // What followers are told from now on. REQUIRES: it never decreases.
  void tell_commit(LogIndex commit) { commit_ = commit; }
  // Sends what there is to send to everyone.
  void pump(Monotonic now, const LogWindow& log, Effects& out);
  void on_ack(Monotonic now, const LogWindow& log, Seat from, const AppendAck& ack, Effects& out);
  void on_beat_ack(Monotonic now, const LogWindow& log, Seat from, const BeatAck& ack, Effects& out);
  // `gone`: the journal does not hold them any more.
  void on_read(Monotonic now, const LogWindow& log, Seat peer, LogIndex from,
               const std::vector<SharedBatch>& batches, bool gone, Effects& out);
  // Its journal is lost (D3), and it counts for nothing. What it said before may still arrive: it counts
  // again once it answers a BEAT that was sent from now on with what counts.
  void on_lost(Monotonic now, Seat from);
  // Its connections are new: what was under way is lost.
  void on_connected(Monotonic now, Seat peer, Effects& out);
  // A snapshot that ends at `last` is in place there.
  void on_snapshot_installed(Monotonic now, const LogWindow& log, Seat peer, const LogPosition& last,
                             Effects& out);
  // Asks again whoever has been silent with something under way.
  void tick(Monotonic now, Effects& out);
  [[nodiscard]] Monotonic deadline() const;

  // R3: every record up to here is committed, as far as is known now; 0 while none of the own epoch is.
  [[nodiscard]] LogIndex committed(const LogWindow& log) const;
  // Whether a majority, itself included, answered BEATs sent within T_q (E9).
  [[nodiscard]] bool in_good_standing(Monotonic now) const { return now < standing_until(); }
  [[nodiscard]] Monotonic standing_until() const;
  // The newest read round that a majority has confirmed.
  [[nodiscard]] std::uint64_t confirmed_round(std::uint64_t own) const;
  [[nodiscard]] const Follower& follower(Seat seat) const { return followers_[place(seat)]; }

 private:
  void pump_one(Monotonic now, const LogWindow& log, Seat peer, Effects& out);
  void send_batches(Monotonic now, const LogWindow& log, Seat peer, std::vector<SharedBatch> batches,
                    Effects& out);
  void ask(Monotonic now, Seat peer, const LogPosition& after, Effects& out);
  void go_on_behind(Monotonic now, const LogWindow& log, Seat peer, const LogPosition& held, Effects& out);
  void settle(Follower& follower) const;
  static void drop_lost(Follower& follower);
  [[nodiscard]] bool counts_received() const { return config_.durability == Durability::Memory; }
  // The highest value that a majority reaches, when each member has this one.
  template <typename Value>
  [[nodiscard]] Value majority_of(const std::array<Value, limits::brokers>& values) const;

  const GroupConfig& config_;
  Epoch epoch_;
  LogIndex commit_;
  std::array<Follower, limits::brokers> followers_;  // by seat; the own one is unused
};

}  // namespace cidbus::group
