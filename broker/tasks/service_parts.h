// The small values TaskService keeps: what is on its way through the journal, what a turn has collected.
//
// Thread rule: values. Limits: ServiceLimits.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "broker/tasks/leases.h"
#include "broker/tasks/output.h"
#include "broker/tasks/session_links.h"
#include "broker/tasks/task_metrics.h"
#include "broker/tasks/timer_wheel.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"

namespace cidbus {

// Where the leader stops and says so; tests make them small.
struct ServiceLimits {
  Durability durability = Durability::Disk;  // what Accepted names
  std::size_t tasks = limits::tasks;
  std::size_t sessions = limits::sessions;
  std::uint64_t held_bytes = limits::results_kept_bytes;
  std::uint64_t window_bytes = limits::window_bytes;
  std::uint64_t state_bytes = limits::task_state_bytes;
  std::size_t submissions = limits::submissions_on_the_way;
  std::uint64_t submission_bytes = limits::submission_bytes_on_the_way;
  std::uint64_t results_pushed = limits::results_pushed;
  std::uint64_t result_bytes_pushed = limits::result_bytes_pushed;
  std::size_t waiters = limits::waiters;
  std::size_t cancels = limits::cancels_on_the_way;
  std::size_t dispatched_a_turn = 4096;
  std::size_t results_a_turn = 4096;  // pushed, to all sessions together; a session's message more at most
  std::size_t items_a_message = limits::items_a_message;
  std::size_t message_bytes = limits::batch_bytes;
  Duration acks_within = limits::lazy_records;  // workers are told so late that an end is recorded
  std::size_t acks_held = 256;                  // until then; past it they are told
};

// How far a new office has got with the tasks of the one before.
struct Takeover {
  Now began;
  TypeNumber type = 1;    // the next page is of this type
  std::size_t pages = 0;  // of it, done
};

// Whether a submission may become a record, and what its sender is told if not.
struct Verdict {
  bool accepted = true;
  Refusal why = Refusal::BadMessage;
  std::string_view reason;
  std::chrono::milliseconds retry_after{0};
};

struct CompletionOnTheWay {
  LogIndex index;
  NodeNumber worker = 0;
  AttemptId attempt;
  bool late = false;  // of an attempt without a lease
};
struct CancelOnTheWay {
  LogIndex index;
  std::uint64_t number = 0;  // of the CancelAsked
  std::size_t place = 0;     // in its answers
};
struct CancelAsked {
  Peer peer = Peer::Nobody;
  RequestId request;
  std::size_t open = 0;  // answers still to come
  std::vector<std::pair<TaskId, CancelAnswer>> answers;
};

// What one turn has collected, to go out as few messages. Lists by receiver are chains through one vector:
// `next` is a place plus one, 0 ends the chain.
struct TurnLists {
  template <typename Item>
  struct Chained {
    Item item;
    std::uint32_t next = 0;
  };
  // Appends to the chain that begins at `first` and ends at `last`; whether it was empty.
  template <typename Item>
  static bool append(std::vector<Chained<Item>>& list, std::uint32_t& first, std::uint32_t& last,
                     const Item& item) {
    list.push_back({item, 0});
    const auto place = static_cast<std::uint32_t>(list.size());
    const bool was_empty = first == 0;
    (was_empty ? first : list[last - 1].next) = place;
    last = place;
    return was_empty;
  }

  std::vector<Chained<AcceptedItem>> accepted;
  std::vector<LinkRef> accepted_links;
  std::vector<LinkRef> result_links;
  std::vector<LinkRef> acknowledgement_links;
  std::vector<Chained<DispatchItem>> dispatches;
  std::vector<NodeNumber> dispatch_workers;
  std::vector<std::pair<TaskHandle, TaskId>> strict_leased;  // to be dispatched, now that it is committed
  std::vector<Chained<AttemptId>> acks;                      // these may wait for a later turn,
  Monotonic acks_at = Monotonic::max();                      // until then
  std::vector<NodeNumber> ack_workers;
  std::vector<std::pair<NodeNumber, AttemptId>> revokes;
  std::vector<std::tuple<Peer, RequestId, TaskId>> waited;
  std::deque<std::string> reasons;  // texts of refusals, until they are sent

  // Messages whose lists keep their room from turn to turn.
  Message accepted_message{Accepted{}};
  Message results_message{Results{}};
  Message dispatch_message{Dispatch{}};
  Message ack_message{CompleteAck{}};
};

}  // namespace cidbus
