// Decides which block goes to which node to be stored: the storing side of the exchange, without its sockets.
//
// The index names as many targets as copies are wanted; every block goes to all of them, and is settled once
// enough have synced it. A target that is lost, silent or full is replaced; what it had not acknowledged goes
// to the replacement, and what a lost one had acknowledged of unsettled blocks counts no more.
//
// Invariants
//  1. Bytes are held only of unsettled blocks: at most window_bytes and limits::store_blocks, or one block.
//  2. A settled block was synced on need() distinct nodes, where need() is the least of the copies wanted
//     and of the nodes that store at all, less one when this node keeps a copy itself.
//  3. is_settled() says true only while of every settled block at least one holder is not lost.
//  4. Failure is final: the caller starts anew.
//
// Pure: `now` is an argument. Thread rule: one owner. Limits: those of invariant 1.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/limits/exchange.h"
#include "shared/base/limits/times.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/content/block.h"
#include "shared/core/content_messages.h"
#include "shared/exchange/peer_id.h"

namespace cidbus {

class StorePlan {
 public:
  struct Options {
    std::uint32_t copies = 2;
    bool keeps_copy = false;  // this node stores every block itself, and is one of the storing nodes
    std::string own_name{};   // never a target
    ByteCount window_bytes = limits::store_bytes;
    Duration silence = limits::target_silence;
    Duration room_patience =
        std::chrono::seconds(2);  // the index knows no node with room: its news may be old
    // No block settled for so long, though some are there: a failure.
    Duration patience = std::chrono::seconds(30);
  };
  struct Question {
    std::uint32_t copies;
    std::vector<std::string> exclude;
  };
  struct Target {
    std::string name;
    PeerId peer;
  };
  struct Sending {
    PeerId peer;
    std::uint64_t number;  // of the block here
    Block block;
  };

  explicit StorePlan(Options options) : options_(std::move(options)) {}

  [[nodiscard]] bool has_room(ByteCount bytes) const;
  // REQUIRES: has_room(its bytes), no failure. One that is unsettled already is not added twice.
  void add(Monotonic now, const Block& block);
  // Everything that was added is durable as invariants 2 and 3 say.
  [[nodiscard]] bool is_settled() const;

  // What the index is to be asked now; counts as asked until placed() or not_placed().
  std::optional<Question> take_question(Monotonic now);
  void placed(Monotonic now, const std::vector<Target>& targets, std::uint32_t storing_nodes);
  void not_placed(Monotonic now, const Fault& why);

  // The next block to send; the same until on_sent() or on_unsent().
  [[nodiscard]] std::optional<Sending> next_sending(Monotonic now) const;
  void on_sent(Monotonic now, const Sending& sending);
  void on_unsent(Monotonic now, const Sending& sending);

  // What peers said; of peers that are no targets, nothing follows.
  void on_connected(Monotonic now, PeerId peer);
  void on_lost(Monotonic now, PeerId peer);
  void on_reply(Monotonic now, PeerId peer, const Cid& cid, StoreAnswer answer, std::string_view reason);
  void on_refused(Monotonic now, PeerId peer, std::string_view reason);

  // Lets time pass; returns the targets that were given up for silence, whose connections are to be cut.
  std::vector<PeerId> pass_time(Monotonic now);
  // When time alone changes something next.
  [[nodiscard]] std::optional<Monotonic> deadline(Monotonic now) const;

  [[nodiscard]] const std::optional<Fault>& failure() const { return failure_; }
  [[nodiscard]] std::uint32_t need() const { return need_; }
  [[nodiscard]] ByteCount bytes_held() const { return bytes_held_; }
  [[nodiscard]] std::uint64_t settled_blocks() const { return settled_blocks_; }

 private:
  enum class State : std::uint8_t {
    Connecting,
    Live,
    Full,  // takes no more; what it has counts
    Gone,  // lost; what it has counts only for settled blocks
  };
  struct Node {
    std::string name;
    State state = State::Connecting;
    std::string reason;  // why Full or Gone
    Monotonic heard{};   // or since when it is Connecting, or when it was first sent something
    Monotonic gone_at{};
    bool banned = false;                  // it said what cannot be
    std::optional<Monotonic> not_before;  // its pipe was full, or it was busy
    std::uint64_t next = 0;               // blocks with lower numbers were sent, or are in `again`
    std::set<std::uint64_t> again;
    std::size_t unanswered = 0;
  };
  struct Entry {
    Block block;
    std::vector<PeerId> sent;  // to targets that have not answered
    std::vector<PeerId> synced;
  };
  using Nodes = std::map<PeerId, Node>;
  using Entries = std::map<std::uint64_t, Entry>;

  [[nodiscard]] static bool is_active(const Node& node) { return node.state <= State::Live; }
  [[nodiscard]] std::size_t active_count() const;
  [[nodiscard]] std::size_t missing_nodes() const;
  [[nodiscard]] bool has_work() const { return !entries_.empty() || has_orphans(); }
  [[nodiscard]] bool has_orphans() const;
  [[nodiscard]] bool is_orphaned(const std::vector<PeerId>& holders) const;
  [[nodiscard]] bool still_needs(const Entry& entry, PeerId peer) const;
  [[nodiscard]] std::optional<std::uint64_t> next_for(const Node& node, PeerId peer) const;
  void settle_what_is_done(Monotonic now);
  Entries::iterator settle(Monotonic now, Entries::iterator at);
  void lose(Monotonic now, PeerId peer, std::string reason);
  void fill_up(Monotonic now, PeerId peer, std::string_view reason);
  void judge_shortage(Monotonic now);
  void judge_patience(Monotonic now);
  void fail(FaultKind kind, std::string message);
  [[nodiscard]] bool lost_lately(Monotonic now) const;
  [[nodiscard]] std::string troubles() const;

  const Options options_;
  Nodes nodes_;
  Entries entries_;
  std::unordered_map<Multihash, std::uint64_t> numbers_;  // of entries_
  // How many settled blocks each set of nodes (sorted) holds between them; empty while this node keeps
  // copies.
  std::map<std::vector<PeerId>, std::uint64_t> holders_;
  std::uint64_t last_number_ = 0;
  std::uint64_t settled_blocks_ = 0;
  ByteCount bytes_held_ = 0;

  std::uint32_t need_ = 0;                // valid once placed_
  std::uint32_t storing_nodes_ = 0;       // by the last placement
  bool placed_ = false;                   // the index has answered once
  bool asking_ = false;                   // a question is with the caller
  Monotonic ask_at_{};                    // not before
  std::optional<Fault> index_fault_;      // of the last question
  std::optional<Monotonic> short_since_;  // the index knows no more nodes with room
  Monotonic progress_at_{};               // a block settled, or the first of a new lot was added
  std::optional<Fault> failure_;
};

}  // namespace cidbus
