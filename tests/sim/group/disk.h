// The disk of a simulated broker, as its core sees it: votes and batches become durable a while after they
// were handed over, in order, one sync for all that wait; and a crash loses what was not synced.
//
// A model of broker/journal/disk.h, not of its files: those are tried in their own room, byte by byte, and
// with the whole broker in tests/sim. What is kept of them is what the group's rules stand on: the order of
// commands, group commit, cuts, torn writes, and what recovery finds.
//
// Thread rule: one thread. Limits: memory.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "broker/consensus/group.h"
#include "shared/base/prng.h"
#include "tests/sim/base/timeline.h"

namespace cidbus::group_sim {

struct DiskProfile {
  Duration sync = std::chrono::microseconds(800);  // median
  std::uint32_t slow_per_mille = 10;               // syncs that take 5 to 100 ms
  std::size_t batches_a_sync = 256;
};

class SimDisk {
 public:
  using Command = std::variant<group::WriteVote, group::WriteBatch, group::CutFrom, group::ReceiveFinish,
                               group::RefillHole, group::WriteRepaired>;
  using Completion = std::function<void(group::Input)>;

  // `unproven`: made for a group in which a new disk has no say (D4).
  SimDisk(sim::Timeline& timeline, Prng prng, bool unproven)
      : timeline_(timeline), prng_(prng), repairing_(unproven), is_new_(unproven) {}

  // ---- a life of the broker
  void open(Completion completion);
  void submit(Command command);
  // What a restart finds: the vote, the journal behind the newest snapshot, and the core's view of it.
  [[nodiscard]] group::GroupStart recover() const;
  [[nodiscard]] const Bytes& newest_snapshot() const { return snapshots_.back().file; }
  // Batches from the one that begins with `from`, as far as they are on disk; answered after a while.
  void read(const group::ReadBatches& request);
  // The state after `last`, which is on disk: kept, with the one before; the journal before that one is
  // freed.
  void keep_snapshot(const ChainEnd& last, Bytes file);
  void read(const group::ReadSnapshot& request);
  void receive(const group::ReceiveBegin& begin);
  void receive(const group::ReceivePiece& piece);
  void abandon() { received_.reset(); }
  // The process is gone. Of what was under way, chance keeps some, and tears a batch maybe.
  void crash();
  // Bits rot in some batches, their second place is whole: what the next start finds are holes. False when
  // there is nothing to rot. REQUIRES: between two lives.
  bool rot(Prng& chance);
  void rot_behind(LogIndex last);  // all of them
  // The journal is gone; vote file and snapshots are there. REQUIRES: between two lives.
  void lose_journal();
  // Another, empty disk is in its place. REQUIRES: between two lives.
  void replace();

  // ---- faults
  void set_profile(const DiskProfile& profile) { profile_ = profile; }
  void set_slow(Duration each) { slow_ = each; }
  void set_full(bool full);
  // A piece of a snapshot that is being received comes to the disk changed.
  void damage_received() { damages_received_ = true; }
  void set_hung(bool hung);
  // The next sync fails: the broker ends at once, and what was to be synced is lost or not.
  void fail_next_sync(std::function<void()> broker_ends) { sync_fails_ = std::move(broker_ends); }

  // ---- looking
  // Also what is damaged and not forgotten: its broker neither votes below it nor lets it count anew. Nor is
  // a lost journal, until the leader knows of it; then nothing here is held before it is whole again.
  [[nodiscard]] bool holds(const group::LogPosition& position, bool leader_knows_of_loss) const;
  [[nodiscard]] std::uint64_t losses() const { return losses_; }
  // Which disk it is, counted.
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }
  [[nodiscard]] bool damaged() const;
  [[nodiscard]] Epoch persisted_epoch() const {
    return std::max({vote_.epoch, highest_office_, snapshots_.back().last.epoch});
  }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }

 private:
  struct Stored {
    group::SharedBatch batch;
    ChainEnd end;
    LogIndex first;
    bool intact = true;
  };
  struct Snapshot {
    ChainEnd last;
    Bytes file;
  };
  struct Received {
    group::ReceiveBegin what;
    Bytes file;
  };
  void work();
  void finish();
  void complete(const Command& command, bool is_last);
  void install(bool replaces);
  void apply(const Command& command);
  void cut(LogIndex from);
  void be_whole();
  [[nodiscard]] Duration latency();

  sim::Timeline& timeline_;
  Prng prng_;
  DiskProfile profile_;
  Duration slow_{};
  bool full_ = false;
  bool hung_ = false;
  std::function<void()> sync_fails_;

  // durable
  group::WriteVote vote_{};
  ChainEnd base_;                       // what the first batch of the journal follows
  std::vector<Snapshot> snapshots_{1};  // the two newest; the first is that of nothing
  std::vector<Stored> journal_;
  std::vector<Stored> lost_;  // what the journal held when it was lost, until it was brought up again
  LogIndex lost_base_;        // and what a snapshot held, when that was lost too
  bool repairing_;
  bool is_new_;
  std::uint64_t losses_ = 0;
  std::uint64_t incarnation_ = 0;
  Epoch highest_office_;

  // this life
  Completion completion_;
  std::uint64_t life_ = 0;
  std::deque<Command> waiting_;
  std::optional<Received> received_;
  bool damages_received_ = false;
  bool installed_ = false;  // the command just done
  std::vector<Command> under_way_;
  std::uint64_t syncs_ = 0;
};

}  // namespace cidbus::group_sim
