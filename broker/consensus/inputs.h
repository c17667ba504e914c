// What the group's core is told, as values.
//
// The disk answers commands in their order (broker/journal/disk.h); reading is answered whenever it is done.
//
// Thread rule: values. Limits: limits/group.h.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "broker/consensus/effects.h"

namespace cidbus::group {

struct Tick {};  // time has passed
// From a member, of this group and of the incarnation known (peer_registry.h).
struct Received {
  Seat from = nobody;
  Epoch epoch;  // of the header
  GroupMessage message;
};
struct Connected {  // the connections to this member are there (again)
  Seat peer = nobody;
};
struct Disconnected {  // they broke
  Seat peer = nobody;
};
// A batch of the own office, which follows the end of the log; the first begins with OPEN. If the same step
// finds that office is lost, the batch is dropped, and LeaveOffice says so.
struct Proposed {
  SharedBatch batch;
};
// The batch proposed last ends with HANDOVER, as SealOffice asked.
struct HandoverProposed {};
// Office is to go to `successor`, or to the best one; `resign`: and if nobody can take it, it is left all the
// same. One that does not lead does nothing.
struct HandOver {
  Seat successor = nobody;
  bool resign = false;
};
// This broker is about to stop, or is not: while it drains it does not stand.
struct Draining {
  bool on = true;
};
// An OPEN or HANDOVER record was applied.
struct OfficeApplied {
  Seat leader = nobody;  // of OPEN; nobody: it was HANDOVER
  WallTime time;
};
// The own state after a record that limits::digest_every divides was applied.
struct StatePassed {
  StateDigest digest;
};
struct VoteWritten {
  Epoch epoch;
  Seat voted = nobody;
};
struct BatchesWritten {
  ChainEnd end;  // everything up to it
};
struct CutDone {};
struct BatchesRead {
  ReadFor purpose = ReadFor::Applying;
  Seat peer = nobody;
  LogIndex from;
  std::vector<SharedBatch> batches;  // none: it is not held any more
};
// Part of a snapshot's file, or, without bytes, which there is; size 0: there is no such snapshot.
struct SnapshotRead {
  Seat peer = nobody;
  LogIndex last;
  ByteCount size = 0;
  std::array<std::uint8_t, 32> hash{};
  ByteCount offset = 0;
  SharedBatch bytes;
};
struct PieceReceived {
  ByteCount next = 0;  // offset
};
// The state machine is the snapshot's now; take_committed() goes on behind it.
struct SnapshotInstalled {
  ChainEnd last;
  ChainEnd journal_end;  // `last` when the journal was begun anew
};
struct ReceiveFailed {};
struct HoleRefilled {
  ChainEnd end;  // of the batch
};
struct RepairedWritten {};
// The journal holds nothing before `first` any more.
struct Freed {
  LogIndex first;
};
// Whether the disk has room: for batches (the hard mark), and for new work (the soft one; CONSENSUS section
// 8). Who lacks either is unfit, so that one with room leads.
struct RoomKnown {
  bool full = false;
  bool low = false;
};

using Input = std::variant<Tick, Received, Connected, Disconnected, Proposed, HandoverProposed, HandOver,
                           Draining, OfficeApplied, StatePassed, VoteWritten, BatchesWritten, CutDone,
                           BatchesRead, SnapshotRead, PieceReceived, SnapshotInstalled, ReceiveFailed,
                           HoleRefilled, RepairedWritten, Freed, RoomKnown>;

}  // namespace cidbus::group
