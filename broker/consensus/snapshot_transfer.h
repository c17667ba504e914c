// A snapshot on its way to a follower that lacks what the journal no longer holds (CONSENSUS section 6): the
// sender's side and the receiver's.
//
//   leader                              follower
//   SNAP_BEGIN: which, how long   ──▶   begins to receive, or goes on where it was
//                                 ◀──   SNAP_ACK: from this offset on
//   SNAP_CHUNK                    ──▶   writes it
//                                 ◀──   SNAP_ACK: from this offset on … installed, or refused
//
// The snapshot is whatever file the leader's disk has newest; the hash tells whether it came whole. A
// transfer that breaks leaves the old state as it was, and goes on by offset when the two meet again.
//
// Invariants
//  1. One piece at a time is under way to a follower; one snapshot at a time is received.
//  2. While one is being installed no batch is taken: the journal may begin anew behind it.
//  3. Whoever asks for a state in the place of its own (R7) is sent one that holds all that it may have
//     applied, taken for it if there is none; its journal goes on meanwhile.
//
// Thread rule: pure; one owner. Limits: limits::snapshot_piece bytes a message.
#pragma once

#include <array>

#include "broker/consensus/group_config.h"
#include "broker/consensus/inputs.h"
#include "broker/consensus/log_window.h"
#include "broker/consensus/replication.h"

namespace cidbus::group {

// In office: a transfer for each follower that needs one.
class SnapshotSender {
 public:
  explicit SnapshotSender(const GroupConfig& config) : config_(config) {}

  void on_office() {
    transfers_ = {};
    wishes_ = {};
  }
  // Whether that one asks for a state, as it said last. What it has applied is committed.
  void on_wish(Seat peer, bool wanted, LogIndex commit) {
    if (!wanted) wishes_[place(peer)] = {};
    if (wanted && wishes_[place(peer)] == LogIndex{}) wishes_[place(peer)] = commit;
  }
  // Begins what replication asks for, and asks again whoever is silent.
  void tick(Monotonic now, const Replication& replication, Epoch epoch, Effects& out);
  void on_read(Monotonic now, const LogWindow& log, const SnapshotRead& read, Epoch epoch, Effects& out);
  // Gives whether the snapshot that ends at `last` of the acknowledgement is in place there.
  [[nodiscard]] bool on_ack(Monotonic now, Seat from, const SnapAck& ack, Effects& out);
  [[nodiscard]] Monotonic deadline() const;

 private:
  enum class Stage : std::uint8_t {
    None,
    Finding,  // the disk is asked which snapshot it has
    Offered,  // SNAP_BEGIN or SNAP_CHUNK was sent
    Reading,  // the disk reads the next piece
  };
  struct Transfer {
    Stage stage = Stage::None;
    SnapBegin what;
    ByteCount next = 0;
    Monotonic since{};  // of the stage
  };
  void read_piece(Monotonic now, Seat peer, Effects& out);

  const GroupConfig& config_;
  std::array<Transfer, limits::brokers> transfers_{};  // by seat
  std::array<LogIndex, limits::brokers> wishes_{};     // likewise: at least up to here; 0: none
};

// Follower: what it is being sent.
class SnapshotReceiver {
 public:
  // What the core must not do meanwhile: take batches, stand.
  [[nodiscard]] bool installing() const { return stage_ == Stage::Waiting || stage_ == Stage::Installing; }

  // `held`: everything the snapshot holds is here already.
  void on_begin(Seat from, Epoch epoch, const SnapBegin& begin, bool held, Effects& out);
  void on_chunk(Seat from, Epoch epoch, const SnapChunk& chunk, Effects& out);
  void on_piece_written(Epoch epoch, ByteCount next, Effects& out);
  // The disk has nothing of the journal to do any more: what has come whole may be installed.
  // `replaces`: the own state is wrong.
  void on_journal_idle(bool replaces, Effects& out);
  // Both give up what is under way.
  void on_installed(Epoch epoch, Effects& out);
  void on_failed(Epoch epoch, Effects& out);

 private:
  enum class Stage : std::uint8_t {
    None,
    Receiving,
    Writing,  // a piece is on its way to the disk
    Waiting,  // all is there; the journal's writes must end first
    Installing,
  };
  void ack(Epoch epoch, Effects& out) const;

  Stage stage_ = Stage::None;
  Seat from_ = nobody;
  SnapBegin what_;
  ByteCount next_ = 0;
};

}  // namespace cidbus::group
