// The submissions of one client session: numbered without gaps, kept until answered, sent within a window.
//
// The session core (session_core.h) decides when to send and what an answer means; this table knows what is
// still owed: which submissions wait, which are on the way, which have a task and wait for its result. It can
// be taken over into a new session, where what was never answered gets new numbers.
//
// Invariants
//  1. Seqs run without gaps; a submission keeps its seq for as long as its session lives.
//  2. low_water() only grows within a session: every seq below it has been answered.
//  3. A submission's own bytes are held until it is answered and not longer.
//  4. A ticket never changes, over any number of sessions.
//
// Thread rule: one owner. Limits: the owner's; an answered submission costs 40 bytes until its result came.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/limits/tasks.h"
#include "shared/core/message.h"

namespace cidbus {

// The caller's own number of a submission, from 1. In the first session it equals the seq.
using Ticket = Number<struct TicketTag>;

class Submissions {
 public:
  enum class State : std::uint8_t {
    Waiting,   // to be sent, for the first time or again
    InFlight,  // sent to the broker the session is bound to, not answered
    Accepted,  // has a task; its result is still to come
    Done,      // nothing more is owed
  };

  // What is sent: a copy, since the caller's views end with his call.
  struct Body {
    std::string type = {};
    std::string key = {};
    TaskOptions options = {};  // its key points into `key`
    Bytes work = {};
    [[nodiscard]] std::size_t bytes() const;  // about what it takes in a message
  };

  struct Entry {
    Ticket ticket;
    TaskId task;                 // 0 until accepted
    std::unique_ptr<Body> body;  // empty once answered
    State state = State::Waiting;
    bool sent = false;  // a broker may have it: it went out at least once
  };

  Ticket add(std::string_view type, const TaskOptions& options, ByteView work);

  // Null when the seq is not of this session or is long done.
  Entry* find(std::uint64_t seq);

  // The next items to send, in order of seq, at most `count` and about `byte_budget` bytes (one item always
  // fits); they are in flight from here on. None is limits::session_window or more above the low water, since
  // a broker's memory of a session spans no more. Their views live until the item is answered.
  std::vector<SubmitItem> take(std::size_t count, std::size_t byte_budget);

  // The answers. REQUIRES: the entry's state is Waiting or InFlight.
  void accept(Entry& entry, TaskId task, bool result_follows);
  void refuse(Entry& entry);                       // for good
  void put_back(std::uint64_t seq, Entry& entry);  // to be sent again later, under the same seq
  // REQUIRES: the entry's state is Accepted.
  void finish(Entry& entry);

  // Everything in flight waits again: the broker it was sent to is gone, or silent.
  void recall();

  // Gives up what may have reached a broker and has no key: it cannot be sent again without risk of running
  // twice.
  std::vector<Ticket> give_up_doubtful();

  // Starts a new session: what is unanswered is numbered from 1 and waits. Returns what the old one owed.
  // REQUIRES: give_up_doubtful() was just called.
  std::vector<std::pair<TaskId, Ticket>> renew();

  [[nodiscard]] std::uint64_t low_water() const { return low_water_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  [[nodiscard]] std::size_t unanswered_bytes() const { return unanswered_bytes_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }  // whose results are still to come
  [[nodiscard]] std::size_t held() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return unanswered_ == 0 && accepted_ == 0; }

 private:
  static bool is_unanswered(const Entry& entry) { return entry.state <= State::InFlight; }
  [[nodiscard]] std::uint64_t end() const { return first_ + entries_.size(); }
  std::unique_ptr<Body> make_body();
  void put_away(std::unique_ptr<Body> body);
  void settle(Entry& entry, State state);
  void trim();
  void append(Entry entry);

  std::vector<std::unique_ptr<Body>>
      spare_;                    // small ones, to be used again: one comes and goes with each task
  std::deque<Entry> entries_;    // of the seqs first_, first_ + 1, ...; the first is never Done
  std::uint64_t first_ = 1;      // only grows within a session
  std::uint64_t low_water_ = 1;  // the lowest unanswered seq, or end()
  std::uint64_t send_from_ = 1;  // no seq below it is Waiting
  std::uint64_t last_ticket_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_bytes_ = 0;
  std::size_t accepted_ = 0;
};

}  // namespace cidbus
