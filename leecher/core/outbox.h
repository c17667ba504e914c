// What was submitted through a leecher: kept until the brokers have it, in the order it came.
//
// A pure machine. Every change is also an entry for the outbox's file (outbox_entry.h), taken with
// take_entries(); replaying a file's entries gives the same outbox again. Its owner tells nobody of a change
// before the entry is synced.
//
// Invariants
//  1. Items are numbered 1, 2, 3, ...; no number is used twice, over any number of restarts.
//  2. A (session, seq) names one item as long as that session may ask again: until it is closed, or
//     limits::session_ttl after the item was settled.
//  3. An item has the key under which it will be handed in from the first entry on, so that handing it in
//     again after a crash gives the same task (CONSENSUS C3).
//  4. next() is the oldest waiting item: items are handed in in the order they came.
//
// Thread rule: one owner. Limits: limits::outbox_*; has_room() says when they are reached.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "leecher/core/outbox_entry.h"
#include "shared/base/outbox_id.h"
#include "shared/core/client_messages.h"

namespace cidbus {

class Outbox {
 public:
  enum class State : std::uint8_t { Waiting, HandedIn, Refused, Cancelled };

  struct Item {
    SessionId session;
    std::uint64_t seq = 0;
    std::string type;
    std::string key;
    TaskOptions options;  // its key is empty; `key` holds it
    Bytes work;           // empty once it is no longer needed
    WallTime queued_at;
    WallTime settled_at;
    State state = State::Waiting;
    TaskId task;              // once handed in
    std::string reason;       // once refused
    bool asked_done = false;  // its session will not ask again
  };
  struct Counts {
    std::size_t waiting = 0;
    ByteCount waiting_bytes = 0;
    std::size_t handed_in = 0;
    std::size_t refused = 0;
    std::size_t cancelled = 0;
  };
  using Items = std::map<std::uint64_t, Item>;  // by number

  // One payload of the file, in order. False when it is no entry, or says what cannot be.
  [[nodiscard]] bool replay(ByteView payload);

  // Whether another submission with so much work may come.
  [[nodiscard]] bool has_room(std::size_t work_bytes) const;
  // REQUIRES: has_room(), no item of this session and seq, key not empty.
  TaskId queue(WallTime now, const SessionId& session, const SubmitItem& submitted, std::string key);
  void hand_in(WallTime now, TaskId name, TaskId task);
  void refuse(WallTime now, TaskId name, std::string_view reason);
  void cancel(WallTime now, TaskId name);
  // As if it had never come: it was refused before anybody was told its name.
  void drop(TaskId name);
  void close_session(const SessionId& session);
  // Settled items beyond what is kept go, oldest first.
  void clear_away(WallTime now);

  [[nodiscard]] const Item* find(TaskId name) const;
  // 0 for none.
  [[nodiscard]] TaskId find(const SessionId& session, std::uint64_t seq) const;
  // The items of a session, by seq.
  [[nodiscard]] std::vector<TaskId> items_of(const SessionId& session) const;
  // The oldest waiting item; 0 for none.
  [[nodiscard]] TaskId next() const;
  [[nodiscard]] const Items& items() const { return items_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

  // What has changed since it was last taken, for the file; in order.
  std::vector<Bytes> take_entries() { return std::exchange(entries_, {}); }
  // Entries that make this outbox from nothing.
  [[nodiscard]] std::vector<Bytes> image() const;
  // Walks everything; aborts on what cannot be.
  void check_invariants() const;

 private:
  using Place = std::pair<SessionId, std::uint64_t>;

  bool apply(const OutboxEntry& entry);
  bool add(const QueuedEntry& entry);
  bool settle(std::uint64_t number, State state, WallTime at, TaskId task, std::string_view reason);
  bool forget(std::uint64_t number);
  void change(const OutboxEntry& entry);

  Items items_;
  std::map<Place, std::uint64_t> places_;  // one for each of items_
  std::set<std::uint64_t> waiting_;
  std::uint64_t last_number_ = 0;  // only grows
  Counts counts_;
  std::vector<Bytes> entries_;
};

}  // namespace cidbus
