// What the group's core asks for, as values; what it is told is in inputs.h.
//
// An effect is carried out at once, in order. What must wait for something is not there yet: the core holds a
// vote back until the disk has said that it is written, and an acknowledgement until its batch is, and only
// then emits it. So a driver can carry nothing out too early; it may lose a message, and nothing else.
//
// The disk answers commands in their order (broker/journal/disk.h); reading is answered whenever it is done.
//
// Thread rule: values. Limits: limits/group.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/journal/batch.h"
#include "shared/base/limits/group.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

enum class Role : std::uint8_t { Follower, Probing, Holding, Candidate, Leader };
std::string_view to_text(Role role);

// ---- effects

struct Send {
  Seat to = nobody;
  Epoch epoch;  // for the header
  GroupMessage message;
};
// Answered by VoteWritten.
struct WriteVote {
  Epoch epoch;
  Seat voted = nobody;
  bool founds = false;  // it makes the new folder one of the group's (D4)
};
// Answered by BatchesWritten, one for all that a sync covered.
struct WriteBatch {
  SharedBatch batch;
  Epoch office;  // whose word brought it
};
// Answered by CutDone.
struct CutFrom {
  LogIndex from;  // a batch begins with it
};
enum class ReadFor : std::uint8_t { Following, Fetching, Mending, Applying };
// Batches from the one that begins with `from` on, up to about `bytes`; answered by BatchesRead.
struct ReadBatches {
  ReadFor purpose = ReadFor::Applying;
  Seat peer = nobody;
  LogIndex from;
  std::size_t bytes = 0;  // at most; batches likewise
  std::size_t batches = limits::append_batches;
};
// A piece of the file of a snapshot, `last` 0: of the newest; `bytes` 0: only which there is. Answered by
// SnapshotRead.
struct ReadSnapshot {
  Seat peer = nobody;  // whom it is for
  LogIndex last;
  ByteCount offset = 0;
  std::size_t bytes = 0;
};
// A snapshot of another broker is received: begun, a piece at a time, and installed, or given up. A second
// begin forgets the first. Pieces are answered by PieceReceived; ReceiveFinish by SnapshotInstalled; anything
// by ReceiveFailed.
struct ReceiveBegin {
  LogIndex last;
  ByteCount size = 0;
  std::array<std::uint8_t, 32> hash{};
};
struct ReceivePiece {
  ByteCount offset = 0;
  SharedBatch bytes;
};
struct ReceiveFinish {
  bool replaces = false;  // a state that is wrong (R7): snapshots that were taken of it are set aside
};
struct ReceiveAbandon {};
// A snapshot that holds this record is to be taken as soon as the state does, unless there is one.
struct TakeSnapshot {
  LogIndex at_least;
};
// The batch goes into the hole of its identity, if that is still there. Answered by HoleRefilled.
struct RefillHole {
  SharedBatch batch;
};
// The lost journal was brought up again (D3). Answered by RepairedWritten.
struct WriteRepaired {};
// It has the votes: OPEN of this epoch is to be appended now, and nothing before it.
struct TakeOffice {
  Epoch epoch;
};
// It leads no longer. What it proposed and was not committed may be lost, or not.
enum class WhyDeposed : std::uint8_t {
  HigherEpoch,
  NoQuorum,
  StoodStill,
  SlowDisk,
  HandedOver,
  Resigned,
  Outvoted
};
std::string_view to_text(WhyDeposed why);
struct LeaveOffice {
  Epoch epoch;
  WhyDeposed why = WhyDeposed::HigherEpoch;
};
// Who leads, as far as this broker knows; `leader` is nobody when it knows none.
struct LeaderKnown {
  Seat leader = nobody;
  Epoch epoch;
};
// A HANDOVER record for this successor is to be appended behind all that has gathered; then HandoverProposed.
// Nothing more is proposed, and new submissions wait, until UnsealOffice or LeaveOffice: T_e at most (H2,
// H3).
struct SealOffice {
  Seat successor = nobody;
};
struct UnsealOffice {};
// Every read that asked for this round, or an earlier one, may be answered once commit() of now is applied.
struct ReadsConfirmed {
  std::uint64_t round = 0;
};
// For the log, the feed and the counters; nothing follows from it.
enum class NoticeKind : std::uint8_t {
  Probing,       // ELECTION sent; number: the round
  Suppressed,    // OK came from `seat`
  Yielding,      // AYE sent to `seat`
  Objecting,     // OK sent to `seat`
  Standing,      // VOTE_REQ sent for `epoch`
  Voted,         // for `seat` in `epoch`
  CatchingUp,    // FETCH sent to `seat`
  Cut,           // its own records from number on, which no majority held
  StoodStill,    // the loop did; number: milliseconds
  HandingOver,   // to `seat`
  NotTakenOver,  // `seat` did not take the office it was offered
  Contradicted,  // `seat` sent what its own words exclude
  Refilled,      // a hole; number: its last record
  TailDropped,   // damaged records from number on, which nobody else holds
  Repairing,     // `seat` leads and was asked for a goal
  Repaired,
  StateDiffers,       // that of `seat`, after record number, as its leader sees it
  StateQuarantined,   // the own one is not the group's after record number, says `seat`
  StateReplaced,      // by that of `seat`, after record number
  StateDiffersAgain,  // the own one, after record number, though it had been replaced
};
struct Notice {
  NoticeKind kind = NoticeKind::Probing;
  Seat seat = nobody;
  Epoch epoch;
  std::uint64_t number = 0;
};

using Effect =
    std::variant<Send, WriteVote, WriteBatch, CutFrom, ReadBatches, ReadSnapshot, ReceiveBegin, ReceivePiece,
                 ReceiveFinish, ReceiveAbandon, TakeSnapshot, RefillHole, WriteRepaired, TakeOffice,
                 LeaveOffice, LeaderKnown, SealOffice, UnsealOffice, ReadsConfirmed, Notice>;

// Gathers the effects of a step.
class Effects {
 public:
  template <typename Kind>
  void add(Kind effect) {
    all_.emplace_back(std::in_place_type<Kind>, std::move(effect));
  }
  void send(Seat to, Epoch epoch, GroupMessage message) { add(Send{to, epoch, std::move(message)}); }
  void notice(NoticeKind kind, Seat seat, Epoch epoch, std::uint64_t number = 0) {
    add(Notice{kind, seat, epoch, number});
  }
  [[nodiscard]] const std::vector<Effect>& all() const { return all_; }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  void clear() { all_.clear(); }

 private:
  std::vector<Effect> all_;
};

}  // namespace cidbus::group
