// Every message on the bus, the feed and the block exchange, as a plain value. PROTOCOL.md says when each is
// sent.
//
// Invariants
//  1. A message is what shared/wire has checked: lengths, counts and enums are within limits.h.
//  2. Views live as long as the frame the message was decoded from.
//  3. Lists exist so that whatever one turn has collected travels as one message.
//
// Thread rule: values. Limits: limits::items_a_message items in a list, limits::message_bytes in a frame.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/core/node.h"
#include "shared/core/task.h"

namespace cidbus {

inline constexpr std::uint16_t protocol_version = 1;

// Stands before every body.
struct Header {
  std::uint16_t version = protocol_version;
  ClusterId cluster;
  Epoch epoch;  // the sender's: a leader's own, or the highest a node has seen
  std::string_view sender;
  Incarnation incarnation;
};

enum class Refusal : std::uint8_t {
  WrongVersion,
  WrongCluster,
  NameTaken,  // a live node has this name under another incarnation
  BadMessage,
  NotAllowed,  // not for this role
  NotLeader,
  SessionExpired,  // CONSENSUS C3
  Exhausted,       // a limit, or the disk: try again after retry_after
  NotKnown,        // the broker does not know the sender: say hello again
};
std::string_view to_text(Refusal refusal);

// ---- joining and leaving
// ----------------------------------------------------------------------------------------

struct Hello {
  Role role = Role::Client;
  std::uint32_t slots = 0;
  std::vector<std::string_view> task_types;  // what a worker can run
  std::string_view exchange;                 // host:port of its block exchange, empty for none
  std::vector<AttemptId> running;  // attempts it is at, or has finished and not yet had acknowledged (W4)
};
struct Welcome {
  std::string_view leader;
  std::chrono::milliseconds heartbeat{0};
  std::chrono::milliseconds node_timeout{0};
  std::chrono::milliseconds lease{0};
  std::uint32_t credit = 0;  // unanswered submissions a client may have on the way
};
struct Redirect {
  std::string_view leader;    // empty when nobody is in office
  std::string_view endpoint;  // host:port
};
struct Refused {
  Refusal why = Refusal::BadMessage;
  std::string_view reason;  // one line, for a person
  std::chrono::milliseconds retry_after{0};
};
struct Goodbye {
  std::string_view reason;
};
struct Ping {};  // answered with Pong; both are signs of life
struct Pong {};

// ---- clients: sessions, submissions, results (CONSENSUS section 10)
// ----------------------------------------------

struct SubmitItem {
  std::uint64_t seq = 0;  // the session's own number of this submission, from 1
  std::string_view type;
  TaskOptions options;
  ByteView work;
};
struct Submit {
  SessionId session;
  std::uint64_t low_water = 0;  // every seq below it has been answered; its memory may go
  std::vector<SubmitItem> items;
};
struct AcceptedItem {
  std::uint64_t seq = 0;
  TaskId task;
  bool duplicate = false;
};
enum class Durability : std::uint8_t { Memory, Disk, Quorum };
std::string_view to_text(Durability durability);
struct Accepted {
  SessionId session;
  Durability durability = Durability::Disk;
  std::vector<AcceptedItem> items;
};
struct RejectedItem {
  std::uint64_t seq = 0;
  Refusal why = Refusal::BadMessage;
  std::string_view reason;
  std::chrono::milliseconds retry_after{0};
};
struct Rejected {
  SessionId session;
  std::vector<RejectedItem> items;
};
// Says hello for a session after a reconnect: the broker pushes every result above `cursor` again.
struct SessionResume {
  SessionId session;
  std::uint64_t cursor = 0;
};
struct SessionClose {
  SessionId session;
};
struct ResultItem {
  std::uint64_t rseq = 0;  // the session's own number of this result, from 1, without gaps
  std::uint64_t seq = 0;   // of the submission it answers
  TaskInfo info;
};
struct Results {
  SessionId session;
  std::vector<ResultItem> items;
};
struct ResultAck {
  SessionId session;
  std::uint64_t cursor = 0;  // every result up to here has been delivered
};

// ---- workers: dispatch, leases, completion (CONSENSUS section 11)
// -------------------------------------------------

struct Credit {
  std::uint32_t tasks = 0;  // so many more tasks may be sent; adds up
};
struct DispatchItem {
  AttemptId attempt;
  std::string_view type;
  std::chrono::milliseconds time_limit{0};
  ByteView work;
};
struct Dispatch {
  std::vector<DispatchItem> items;
};
struct Renew {
  std::vector<AttemptId> attempts;
};
struct Renewed {
  std::vector<AttemptId> attempts;  // leases that run on from when Renew was sent
  std::vector<AttemptId> lost;      // no longer this worker's
};
struct Progress {
  AttemptId attempt;
  std::uint32_t permille = 0;
  std::string_view note;
};
struct CompleteItem {
  AttemptId attempt;
  Outcome outcome = Outcome::Completed;
  ByteView result;
  std::string_view error;
  std::chrono::microseconds elapsed{0};
};
struct Complete {
  std::vector<CompleteItem> items;
};
struct CompleteAck {
  std::vector<AttemptId> attempts;  // recorded, or known to be stale: the worker may forget them
};
struct Revoke {
  std::vector<AttemptId> attempts;  // stop these; answered with Complete, outcome Cancelled
};

// ---- questions
// ----------------------------------------------------------------------------------------------------

struct TaskQuery {
  enum class Kind : std::uint8_t { Show, Wait };  // Wait is answered task by task, as each is final
  RequestId request;
  Kind kind = Kind::Show;
  std::vector<TaskId> tasks;
};
struct TaskList {
  RequestId request;
  std::optional<TaskState> state;
  std::string_view type;  // empty for any
  std::uint32_t limit = 100;
  TaskId before;  // only tasks older than this one; 0 for the newest
};
struct TaskInfos {
  RequestId request;
  std::vector<TaskInfo> tasks;  // newest first for a list; in the order asked for Show
  std::vector<TaskId> unknown;  // asked for, not known
  bool more = false;            // a list was cut at its limit
};
struct Cancel {
  RequestId request;
  std::vector<TaskId> tasks;
};
enum class CancelAnswer : std::uint8_t { Cancelled, AlreadyFinal, Unknown };
struct CancelAnswers {
  RequestId request;
  std::vector<std::pair<TaskId, CancelAnswer>> answers;
};
struct SnapshotRequest {
  RequestId request;
};
// The cluster at one moment; also what a late subscriber of the feed starts from.
struct Snapshot {
  RequestId request;
  std::string_view cluster;
  std::string_view leader;
  Durability durability = Durability::Disk;
  LogIndex applied;  // feed events with a journal index at or below this are contained
  std::vector<BrokerInfo> brokers;
  std::vector<Member> members;
  std::vector<std::uint64_t> tasks_by_state;  // task_state_count numbers
  std::uint64_t blocks_indexed = 0;
};

// ---- the content index
// ----------------------------------------------------------------------------------------------

struct Announce {
  bool first = false;  // forget what this node said before
  std::vector<BlockKey> added;
  std::vector<BlockKey> removed;
};
struct Find {
  RequestId request;
  std::vector<BlockKey> blocks;
};
struct Found {
  BlockKey block;
  std::vector<std::uint32_t> holders;  // places in Providers::nodes
};
struct Providers {
  RequestId request;
  std::vector<NodeAddress> nodes;
  std::vector<Found> blocks;  // in the order asked; an empty list of holders: nobody
};
struct Place {
  RequestId request;
  std::uint32_t copies = 2;
  std::uint64_t bytes = 0;                // how much room is wanted on each
  std::vector<std::string_view> exclude;  // node names
};
struct Placement {
  RequestId request;
  std::vector<NodeAddress> nodes;   // at most `copies`, most room first
  std::uint32_t storing_nodes = 0;  // alive nodes that store blocks, room or not
};

// ---- block exchange, node to node
// ------------------------------------------------------------------------------------

struct WantBlocks {
  RequestId request;
  std::vector<ByteView> cids;  // binary
};
enum class BlockAnswer : std::uint8_t { Here, Missing, Busy };
// The block's bytes are the second frame of the message.
struct BlockReply {
  RequestId request;
  ByteView cid;
  BlockAnswer answer = BlockAnswer::Missing;
};
// The block's bytes are the second frame of the message.
struct StoreBlock {
  RequestId request;
  ByteView cid;
};
enum class StoreAnswer : std::uint8_t { Synced, BadHash, NoRoom, Busy };
struct StoreReply {
  RequestId request;
  ByteView cid;
  StoreAnswer answer = StoreAnswer::Synced;
  std::string_view reason;
};

// ---- the feed
// -------------------------------------------------------------------------------------------------------

enum class FeedTopic : std::uint8_t { Heartbeats, Leader, Members, Tasks, Counters };
std::string_view to_text(FeedTopic topic);

struct HeartbeatEvent {
  std::string_view name;
  Role role = Role::Client;
  Incarnation incarnation;
  NodeLoad load;
};
struct LeaderEvent {
  std::string_view leader;
  std::string_view endpoint;
  Epoch epoch;
};
struct MemberEvent {
  Member member;
};
struct TaskEvent {
  TaskId task;
  std::string_view type;
  TaskState state = TaskState::Pending;
  std::string_view worker;
  std::uint32_t attempts = 0;
};
struct SkippedEvent {
  std::uint64_t count = 0;  // task events left out since the last one sent
};
struct CountersEvent {
  std::vector<std::uint64_t> tasks_by_state;  // now
  std::uint64_t accepted = 0;                 // since the broker started; these only grow
  std::uint64_t finished = 0;
  std::uint64_t requeued = 0;
  std::uint64_t stale_results = 0;
  std::uint64_t refused_messages = 0;
};
using FeedEvent =
    std::variant<HeartbeatEvent, LeaderEvent, MemberEvent, TaskEvent, SkippedEvent, CountersEvent>;

struct Feed {
  FeedTopic topic = FeedTopic::Heartbeats;
  std::uint64_t number = 0;  // of (publisher's incarnation, topic), from 1, without gaps
  LogIndex applied;          // state events: the journal index they follow from; 0 otherwise
  WallTime time;
  std::vector<FeedEvent> events;
};

using Message =
    std::variant<Hello, Welcome, Redirect, Refused, Goodbye, Ping, Pong, Submit, Accepted, Rejected,
                 SessionResume, SessionClose, Results, ResultAck, Credit, Dispatch, Renew, Renewed, Progress,
                 Complete, CompleteAck, Revoke, TaskQuery, TaskList, TaskInfos, Cancel, CancelAnswers,
                 SnapshotRequest, Snapshot, Announce, Find, Providers, Place, Placement, WantBlocks,
                 BlockReply, StoreBlock, StoreReply, Feed>;

// The message's name on the wire, for logs and refusals.
std::string_view name_of(const Message& message);

}  // namespace cidbus
