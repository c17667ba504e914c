// Replica: the group's pure core (broker/consensus) between this broker's disk and its peers, as the driver
// sees it: a journal to which records are appended in office, and from which committed batches come, in
// office or not.
//
//   driver                      Replica                          Group (pure)         disk, mesh
//   append(record)      ──▶     gathers, seals          ──▶      Proposed      ──▶    write, send
//   take_committed()    ◀──                             ◀──      commit        ◀──    written, acknowledged
//   take_news()         ◀──     office taken or left, leader known, reads confirmed
//
// Invariants
//  1. Effects of the core are carried out in order, at once.
//  2. Records are appended only in office; what was gathered when it is left is dropped, and nobody was
//     told of it.
//
// Thread rule: the driver's. Limits: limits/group.h, limits::batches_at_disk batches of its own at the disk.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/broker_ports.h"
#include "broker/consensus/group.h"
#include "broker/gathering.h"
#include "broker/group_info.h"
#include "broker/journal/disk.h"
#include "broker/peer_registry.h"
#include "shared/io/log.h"
#include "shared/metrics/instruments.h"
#include "shared/wire/group_codec.h"

namespace cidbus {

class Replica {
 public:
  // ---- news, in the order in which they happened
  struct OfficeTaken {
    Epoch epoch;  // OPEN is to be appended next
  };
  struct OfficeSealed {  // a HANDOVER record is to be proposed, and nothing behind it until one of the next
                         // two
    group::Seat successor = group::nobody;
  };
  struct OfficeUnsealed {};
  struct OfficeLeft {
    group::WhyDeposed why = group::WhyDeposed::HigherEpoch;
  };
  struct LeaderChanged {};
  struct ReadsConfirmed {
    std::uint64_t round = 0;
  };
  struct SnapshotWanted {  // one that holds this record, for another broker
    LogIndex at_least;
  };
  struct ElectionSaid {  // to another broker
    ElectionWord word = ElectionWord::Election;
    group::Seat to = group::nobody;
    Epoch epoch;
    group::Rank rank;  // its own, of that moment
  };
  struct ProposalVoted {  // by another broker, on a proposal in the journal
    group::Seat from = group::nobody;
    std::uint64_t proposal = 0;
    bool yes = false;
    std::string reason;
  };
  // What the core has to say for the log and the feed, as it is.
  using News = std::variant<OfficeTaken, OfficeSealed, OfficeUnsealed, OfficeLeft, LeaderChanged,
                            ReadsConfirmed, SnapshotWanted, ElectionSaid, ProposalVoted, group::Notice>;

  struct Identity {
    ClusterId cluster;
    group::BrokerIncarnation incarnation;
  };

  // `time`: of the newest record in the state. All referred to outlives it.
  Replica(group::GroupConfig config, group::GroupStart start, Identity identity, Now now, BrokerPorts& ports,
          Disk& disk, Histogram& commit_time, Log& log, Prng prng);

  // ---- what arrives
  void on_mesh(Now now, ByteView head, std::vector<group::SharedBatch> behind);
  void on_link(Now now, group::Seat peer, bool up);
  // False when the completion is none of its business, or the driver's too.
  bool on_disk(Now now, const DiskCompletion& completion);

  // ---- in office
  // REQUIRES: in_office().
  LogIndex append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload, Urgency urgency);
  // The answer to OfficeSealed: all that has gathered goes ahead of the record.
  void propose_handover(Now now, std::uint8_t type, std::uint8_t version, ByteView payload);
  // A question that must see everything accepted so far may be answered at ReadsConfirmed of this round, or a
  // later one, once what is committed then is applied. REQUIRES: serving().
  std::uint64_t ask_read(Now now);

  // ---- configuration by vote: to the leader, which may not be there
  void send_vote(Now now, const group::ProposalVote& vote);

  // ---- by order
  // Hands office to `successor`, or to the best one; `resign`: and gives it up if nobody can take it. A
  // broker that does not lead does nothing.
  void hand_over(Now now, group::Seat successor, bool resign) {
    step(now, group::HandOver{successor, resign});
  }
  // It is about to stop: it does not stand any more.
  void drain(Now now) { step(now, group::Draining{true}); }
  // An OPEN record of this leader was applied, or, of nobody, a HANDOVER.
  void on_office_applied(Now now, group::Seat leader, WallTime time) {
    step(now, group::OfficeApplied{leader, time});
  }

  // The state is this after a record that limits::digest_every divides.
  void on_state_passed(Now now, LogIndex index, const Digest& digest) {
    step(now, group::StatePassed{{index, digest.low, digest.high}});
  }

  // ---- a turn's end
  std::vector<News> take_news() { return std::exchange(news_, {}); }
  std::vector<BatchBytes> take_committed(Now now, std::size_t records);
  // Hands over what has gathered, and does what is due. When it wants to be called again at the latest.
  std::optional<Monotonic> end_turn(Now now);

  // ---- looking
  [[nodiscard]] const group::Group& group() const { return group_; }
  [[nodiscard]] bool in_office() const { return gathering_.has_value(); }
  [[nodiscard]] bool serving() const { return in_office() && group_.serving(); }
  // Of what waits for a majority, or to be gathered.
  [[nodiscard]] std::size_t uncommitted_bytes() const;
  [[nodiscard]] std::uint64_t refused_messages() const { return refused_; }
  // When another broker was heard last; 0 for never.
  [[nodiscard]] WallTime last_contact(group::Seat peer) const { return contacts_[group::place(peer)]; }

 private:
  [[nodiscard]] bool is_known(group::Seat from, const group::GroupHeader& header);
  void step(Now now, group::Input input);
  void carry_out(Now now);
  void carry(Now now, const group::Send& send);
  void carry(Now now, const group::WriteVote& vote);
  void carry(Now now, const group::WriteBatch& write);
  void carry(Now now, const group::CutFrom& cut);
  void carry(Now now, const group::ReadBatches& read);
  void carry(Now now, const group::ReadSnapshot& read);
  void carry(Now now, const group::ReceiveBegin& begin);
  void carry(Now now, const group::ReceivePiece& piece);
  void carry(Now now, const group::ReceiveFinish& finish);
  void carry(Now now, const group::ReceiveAbandon& abandon);
  void carry(Now now, const group::TakeSnapshot& wanted);
  void carry(Now now, const group::RefillHole& refill);
  void carry(Now now, const group::WriteRepaired& repaired);
  void carry(Now now, const group::TakeOffice& office);
  void carry(Now now, const group::LeaveOffice& office);
  void carry(Now now, const group::LeaderKnown& known);
  void carry(Now now, const group::SealOffice& seal);
  void carry(Now now, const group::UnsealOffice& unseal);
  void carry(Now now, const group::ReadsConfirmed& confirmed);
  void carry(Now now, const group::Notice& notice);
  void on_read(Now now, const cidbus::BatchesRead& read);
  void hand_over_gathered(Now now);
  void propose_gathered(Now now);
  [[nodiscard]] bool disk_is_free() const;
  void hand_over_held();
  [[nodiscard]] bool waits_for_disk() const { return group_.config().durability != Durability::Memory; }

  Identity identity_;
  PeerRegistry peers_;
  Prng prng_;
  BrokerPorts& ports_;
  Disk& disk_;
  Histogram& commit_time_;
  Log& log_;
  group::Group group_;
  group::Effects effects_;
  GroupEncoder encoder_;
  GroupDecoder decoder_;
  std::vector<News> news_;
  std::optional<Gathering> gathering_;  // in office
  bool sealed_ = false;                 // nothing more is proposed, for now
  // With durability `memory` nobody waits for the disk: it is given much at once, every limits::lazy_records.
  std::vector<NewBatch> held_;
  Monotonic hand_over_at_{};
  std::deque<ChainEnd> writing_;  // batches handed to the disk and not on it, oldest first
  struct Fetching {
    group::ReadFor purpose;
    group::Seat peer;
  };
  std::deque<Fetching> fetching_;  // for whom the fetching reader reads, in order
  struct Waiting {
    LogIndex last;
    std::size_t bytes;
    Monotonic since;
  };
  std::deque<Waiting> uncommitted_;  // batches of this office, oldest first
  std::size_t uncommitted_bytes_ = 0;
  std::uint64_t refused_ = 0;
  std::array<WallTime, limits::brokers> contacts_{};  // by seat
};

}  // namespace cidbus
