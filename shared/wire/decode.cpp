#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstring>

#include "shared/base/limits/group.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"
#include "shared/wire/codec.h"
#include "shared/wire/values.h"

namespace cidbus {
namespace wire {
namespace {

using wire::get;  // the overloads below would hide it

constexpr const char* bad_session = "a session id that is not 16 bytes";
constexpr const char* too_many = "a list of more than 4096 items";

SessionId get_session(capnp::Data::Reader in, Checks& checks) {
  SessionId session;
  checks.require(in.size() == session.bytes.size(), bad_session);
  if (in.size() == session.bytes.size()) std::memcpy(session.bytes.data(), in.begin(), in.size());
  return session;
}

template <typename List>
std::vector<AttemptId> get_attempts(const List& in, Checks& checks) {
  std::vector<AttemptId> attempts(checks.count(in, too_many));
  for (unsigned place = 0; place < attempts.size(); ++place) attempts[place] = get(in[place]);
  return attempts;
}
template <typename List>
std::vector<TaskId> get_tasks(const List& in, Checks& checks) {
  std::vector<TaskId> tasks(checks.count(in, too_many));
  for (unsigned place = 0; place < tasks.size(); ++place) tasks[place] = {in[place]};
  return tasks;
}
template <typename List>
std::vector<std::string_view> get_names(const List& in, Checks& checks, const char* what) {
  std::vector<std::string_view> names(checks.count(in, too_many));
  for (unsigned place = 0; place < names.size(); ++place) names[place] = checks.name(in[place], what);
  return names;
}
template <typename List>
std::vector<NodeAddress> get_nodes(const List& in, Checks& checks) {
  std::vector<NodeAddress> nodes(checks.count(in, too_many));
  for (unsigned place = 0; place < nodes.size(); ++place) nodes[place] = get(in[place], checks);
  return nodes;
}
template <typename List>
std::vector<NodeAddress> get_brokers(const List& in, Checks& checks) {
  checks.count(in, "more brokers than a group has", limits::brokers);
  return get_nodes(in, checks);
}
std::vector<BlockKey> get_keys(capnp::Data::Reader in, Checks& checks) {
  checks.require(in.size() % sizeof(BlockKey) == 0, "block keys that are not 16 bytes each");
  checks.require(in.size() <= limits::items_a_message * sizeof(BlockKey), too_many);
  if (checks.problem() != nullptr) return {};
  std::vector<BlockKey> keys(in.size() / sizeof(BlockKey));
  if (!keys.empty()) std::memcpy(keys.data(), in.begin(), in.size());
  return keys;
}
ByteView get_cid(capnp::Data::Reader in, Checks& checks) {
  return checks.data(in, limits::cid_bytes, "a CID over 140 bytes");
}
std::string_view get_reason(capnp::Text::Reader in, Checks& checks) {
  return checks.text(in, limits::text_length, "a reason over 4096 bytes");
}

Hello get(schema::Hello::Reader in, Checks& checks) {
  Hello hello;
  hello.role = checks.pick(in.getRole(), Role::Client, "an unknown role");
  hello.load = wire::get(in.getLoad());
  hello.task_types = get_names(in.getTaskTypes(), checks, "a task type that is not a name");
  hello.exchange = checks.endpoint(in.getExchange());
  hello.running = get_attempts(in.getRunning(), checks);
  hello.labels = wire::get(in.getLabels(), checks);
  hello.strict_types = get_names(in.getStrictTypes(), checks, "a task type that is not a name");
  return hello;
}
Welcome get(schema::Welcome::Reader in, Checks& checks) {
  return {checks.name(in.getLeader(), "a leader that is not a name"),
          checks.milliseconds(in.getHeartbeatMs()),
          checks.milliseconds(in.getNodeTimeoutMs()),
          checks.milliseconds(in.getLeaseMs()),
          in.getCredit(),
          get_brokers(in.getBrokers(), checks)};
}
Redirect get(schema::Redirect::Reader in, Checks& checks) {
  return {checks.name(in.getLeader(), "a leader that is not a name"), checks.endpoint(in.getEndpoint()),
          get_brokers(in.getBrokers(), checks)};
}
Refused get(schema::Refused::Reader in, Checks& checks) {
  return {checks.pick(in.getWhy(), Refusal::NotKnown, "an unknown refusal"),
          get_reason(in.getReason(), checks), checks.milliseconds(in.getRetryAfterMs())};
}
Submit get(schema::Submit::Reader in, Checks& checks) {
  Submit submit;
  submit.session = get_session(in.getSession(), checks);
  submit.low_water = in.getLowWater();
  const auto items = in.getItems();
  submit.items.resize(checks.count(items, too_many));
  for (unsigned place = 0; place < submit.items.size(); ++place) {
    const auto from = items[place];
    SubmitItem& item = submit.items[place];
    item.seq = from.getSeq();
    item.type = checks.name(from.getType(), "a task type that is not a name");
    checks.require(!item.type.empty(), "a task without a type");
    item.options = get(from.getOptions(), checks);
    item.work =
        checks.data(from.getWork(), limits::payload_bytes, "a task over 256 KiB of inputs and parameters");
  }
  return submit;
}
Accepted get(schema::Accepted::Reader in, Checks& checks) {
  Accepted accepted;
  accepted.session = get_session(in.getSession(), checks);
  accepted.durability = checks.pick(in.getDurability(), Durability::Quorum, "an unknown durability");
  const auto items = in.getItems();
  accepted.items.resize(checks.count(items, too_many));
  for (unsigned place = 0; place < accepted.items.size(); ++place) {
    const auto from = items[place];
    accepted.items[place] = {from.getSeq(), TaskId{from.getTask()}, from.getDuplicate()};
  }
  return accepted;
}
Rejected get(schema::Rejected::Reader in, Checks& checks) {
  Rejected rejected;
  rejected.session = get_session(in.getSession(), checks);
  const auto items = in.getItems();
  rejected.items.resize(checks.count(items, too_many));
  for (unsigned place = 0; place < rejected.items.size(); ++place) {
    const auto from = items[place];
    rejected.items[place] = {
        from.getSeq(), checks.pick(from.getWhy(), Refusal::NotKnown, "an unknown refusal"),
        get_reason(from.getReason(), checks), checks.milliseconds(from.getRetryAfterMs())};
  }
  return rejected;
}
Results get(schema::Results::Reader in, Checks& checks) {
  Results results;
  results.session = get_session(in.getSession(), checks);
  const auto items = in.getItems();
  results.items.resize(checks.count(items, too_many));
  for (unsigned place = 0; place < results.items.size(); ++place) {
    const auto from = items[place];
    results.items[place] = {from.getRseq(), from.getSeq(), get(from.getInfo(), checks)};
  }
  return results;
}
template <typename List>
Dispatch get_dispatch(const List& in, Checks& checks) {
  Dispatch dispatch;
  dispatch.items.resize(checks.count(in, too_many));
  for (unsigned place = 0; place < dispatch.items.size(); ++place) {
    const auto from = in[place];
    dispatch.items[place] = {get(from.getAttempt()),
                             checks.name(from.getType(), "a task type that is not a name"),
                             checks.milliseconds(from.getTimeLimitMs()),
                             checks.data(from.getWork(), limits::payload_bytes, "a task over its size limit"),
                             from.getStrict(),
                             checks.milliseconds(from.getLeaseMs())};
  }
  return dispatch;
}
Progress get(schema::Progress::Reader in, Checks& checks) {
  return {get(in.getAttempt()), in.getPermille(), get_reason(in.getNote(), checks)};
}
template <typename List>
Complete get_complete(const List& in, Checks& checks) {
  Complete complete;
  complete.items.resize(checks.count(in, too_many));
  for (unsigned place = 0; place < complete.items.size(); ++place) {
    const auto from = in[place];
    CompleteItem& item = complete.items[place];
    item.attempt = get(from.getAttempt());
    item.outcome = checks.pick(from.getOutcome(), Outcome::HandedBack, "an unknown outcome");
    item.result = checks.data(from.getResult(), limits::result_bytes, "a result over 64 KiB");
    item.error = checks.text(from.getError(), limits::text_length, "an error over 4096 bytes");
    checks.require(from.getElapsedUs() <= std::uint64_t{1} << 52, "an elapsed time over 100 years");
    item.elapsed = std::chrono::microseconds(from.getElapsedUs());
    item.log = checks.data(from.getLog(), limits::log_bytes, "a log over 8 KiB");
  }
  return complete;
}
TaskQuery get(schema::TaskQuery::Reader in, Checks& checks) {
  const auto at_once = in.getLogs() ? TaskQuery::Kind::Logs : TaskQuery::Kind::Show;
  return {RequestId{in.getRequest()}, in.getWait() ? TaskQuery::Kind::Wait : at_once,
          get_tasks(in.getTasks(), checks)};
}
TaskList get(schema::TaskList::Reader in, Checks& checks) {
  TaskList list;
  list.request = {in.getRequest()};
  const auto state = checks.pick(in.getState(), TaskState::Timeout, "an unknown task state");
  if (!in.getAnyState()) list.state = state;
  list.type = checks.name(in.getType(), "a task type that is not a name");
  list.limit = in.getLimit();
  list.before = {in.getBefore()};
  return list;
}
TaskInfos get(schema::TaskInfos::Reader in, Checks& checks) {
  TaskInfos infos;
  infos.request = {in.getRequest()};
  const auto tasks = in.getTasks();
  infos.tasks.resize(checks.count(tasks, too_many));
  for (unsigned place = 0; place < infos.tasks.size(); ++place)
    infos.tasks[place] = get(tasks[place], checks);
  infos.unknown = get_tasks(in.getUnknown(), checks);
  infos.more = in.getMore();
  return infos;
}
CancelAnswers get(schema::CancelAnswers::Reader in, Checks& checks) {
  CancelAnswers answers;
  answers.request = {in.getRequest()};
  const auto items = in.getAnswers();
  answers.answers.resize(checks.count(items, too_many));
  for (unsigned place = 0; place < answers.answers.size(); ++place) {
    answers.answers[place] = {
        TaskId{items[place].getTask()},
        checks.pick(items[place].getAnswer(), CancelAnswer::Unknown, "an unknown cancel answer")};
  }
  return answers;
}
Snapshot get(schema::Snapshot::Reader in, Checks& checks) {
  Snapshot snapshot;
  snapshot.request = {in.getRequest()};
  snapshot.cluster = checks.name(in.getCluster(), "a cluster that is not a name");
  snapshot.leader = checks.name(in.getLeader(), "a leader that is not a name");
  snapshot.durability = checks.pick(in.getDurability(), Durability::Quorum, "an unknown durability");
  snapshot.applied = {in.getApplied()};
  const auto brokers = in.getBrokers();
  snapshot.brokers.resize(checks.count(brokers, too_many));
  for (unsigned place = 0; place < snapshot.brokers.size(); ++place)
    snapshot.brokers[place] = get(brokers[place], checks);
  const auto members = in.getMembers();
  snapshot.members.resize(checks.count(members, too_many));
  for (unsigned place = 0; place < snapshot.members.size(); ++place)
    snapshot.members[place] = get(members[place], checks);
  const auto states = in.getTasksByState();
  const unsigned count = checks.count(states, "more task states than there are", task_state_count);
  for (unsigned place = 0; place < count; ++place) snapshot.tasks_by_state.push_back(states[place]);
  snapshot.blocks_indexed = in.getBlocksIndexed();
  return snapshot;
}
Providers get(schema::Providers::Reader in, Checks& checks) {
  Providers providers;
  providers.request = {in.getRequest()};
  providers.nodes = get_nodes(in.getNodes(), checks);
  const auto blocks = in.getBlocks();
  providers.blocks.resize(checks.count(blocks, too_many));
  for (unsigned place = 0; place < providers.blocks.size(); ++place) {
    const auto block = blocks[place].getBlock();
    Found& found = providers.blocks[place];
    checks.require(block.size() == sizeof(BlockKey), "a block key that is not 16 bytes");
    if (block.size() == sizeof(BlockKey)) std::memcpy(found.block.bytes.data(), block.begin(), block.size());
    const auto holders = blocks[place].getHolders();
    const unsigned count = checks.count(holders, too_many);
    for (unsigned at = 0; at < count; ++at) {
      checks.require(holders[at] < providers.nodes.size(), "a holder that is not in the list");
      found.holders.push_back(holders[at]);
    }
  }
  return providers;
}
Place get(schema::Place::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()}, in.getCopies(), in.getBytes(),
          get_names(in.getExclude(), checks, "a node's name that is not a name")};
}
WantBlocks get(schema::WantBlocks::Reader in, Checks& checks) {
  WantBlocks want;
  want.request = {in.getRequest()};
  const auto cids = in.getCids();
  const unsigned count = checks.count(cids, too_many);
  for (unsigned place = 0; place < count; ++place) want.cids.push_back(get_cid(cids[place], checks));
  return want;
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): one case a message and nothing else, so that none is missed
Message get_body(schema::Envelope::Body::Reader in, Checks& checks) {
  using Body = schema::Envelope::Body;
  switch (in.which()) {
    case Body::HELLO:
      return get(in.getHello(), checks);
    case Body::WELCOME:
      return get(in.getWelcome(), checks);
    case Body::REDIRECT:
      return get(in.getRedirect(), checks);
    case Body::REFUSED:
      return get(in.getRefused(), checks);
    case Body::GOODBYE:
      return Goodbye{get_reason(in.getGoodbye(), checks)};
    case Body::PING:
      return Ping{};
    case Body::PONG:
      return Pong{};
    case Body::SUBMIT:
      return get(in.getSubmit(), checks);
    case Body::ACCEPTED:
      return get(in.getAccepted(), checks);
    case Body::REJECTED:
      return get(in.getRejected(), checks);
    case Body::SESSION_RESUME:
      return SessionResume{get_session(in.getSessionResume().getSession(), checks),
                           in.getSessionResume().getCursor()};
    case Body::SESSION_CLOSE:
      return SessionClose{get_session(in.getSessionClose(), checks)};
    case Body::RESULTS:
      return get(in.getResults(), checks);
    case Body::RESULT_ACK:
      return ResultAck{get_session(in.getResultAck().getSession(), checks), in.getResultAck().getCursor()};
    case Body::CREDIT:
      return Credit{in.getCredit()};
    case Body::DISPATCH:
      return get_dispatch(in.getDispatch(), checks);
    case Body::RENEW:
      return Renew{get_attempts(in.getRenew().getAttempts(), checks), in.getRenew().getNumber()};
    case Body::RENEWED:
      return Renewed{get_attempts(in.getRenewed().getAttempts(), checks),
                     get_attempts(in.getRenewed().getLost(), checks), in.getRenewed().getNumber()};
    case Body::PROGRESS:
      return get(in.getProgress(), checks);
    case Body::COMPLETE:
      return get_complete(in.getComplete(), checks);
    case Body::COMPLETE_ACK:
      return CompleteAck{get_attempts(in.getCompleteAck(), checks)};
    case Body::REVOKE:
      return Revoke{get_attempts(in.getRevoke(), checks)};
    case Body::TASK_QUERY:
      return get(in.getTaskQuery(), checks);
    case Body::TASK_LIST:
      return get(in.getTaskList(), checks);
    case Body::TASK_INFOS:
      return get(in.getTaskInfos(), checks);
    case Body::CANCEL:
      return Cancel{RequestId{in.getCancel().getRequest()}, get_tasks(in.getCancel().getTasks(), checks)};
    case Body::CANCEL_ANSWERS:
      return get(in.getCancelAnswers(), checks);
    case Body::SNAPSHOT_REQUEST:
      return SnapshotRequest{RequestId{in.getSnapshotRequest()}};
    case Body::SNAPSHOT:
      return get(in.getSnapshot(), checks);
    case Body::ANNOUNCE:
      return Announce{in.getAnnounce().getFirst(), get_keys(in.getAnnounce().getAdded(), checks),
                      get_keys(in.getAnnounce().getRemoved(), checks)};
    case Body::FIND:
      return Find{RequestId{in.getFind().getRequest()}, get_keys(in.getFind().getBlocks(), checks)};
    case Body::PROVIDERS:
      return get(in.getProviders(), checks);
    case Body::NAME_CONTENT:
      return NameContent{RequestId{in.getNameContent().getRequest()},
                         get(in.getNameContent().getEntry(), checks)};
    case Body::FIND_CONTENT:
      return get(in.getFindContent(), checks);
    case Body::CONTENT_NAMES:
      return get(in.getContentNames(), checks);
    case Body::PLACE:
      return get(in.getPlace(), checks);
    case Body::PLACEMENT:
      return Placement{RequestId{in.getPlacement().getRequest()},
                       get_nodes(in.getPlacement().getNodes(), checks), in.getPlacement().getStoringNodes()};
    case Body::WANT_BLOCKS:
      return get(in.getWantBlocks(), checks);
    case Body::BLOCK_REPLY:
      return BlockReply{
          RequestId{in.getBlockReply().getRequest()}, get_cid(in.getBlockReply().getCid(), checks),
          checks.pick(in.getBlockReply().getAnswer(), BlockAnswer::Busy, "an unknown block answer")};
    case Body::STORE_BLOCK:
      return StoreBlock{RequestId{in.getStoreBlock().getRequest()},
                        get_cid(in.getStoreBlock().getCid(), checks)};
    case Body::STORE_REPLY:
      return StoreReply{
          RequestId{in.getStoreReply().getRequest()}, get_cid(in.getStoreReply().getCid(), checks),
          checks.pick(in.getStoreReply().getAnswer(), StoreAnswer::Busy, "an unknown store answer"),
          get_reason(in.getStoreReply().getReason(), checks)};
    case Body::FEED:
      return get(in.getFeed(), checks);
    case Body::BROKER_STATUS_REQUEST:
      return BrokerStatusRequest{RequestId{in.getBrokerStatusRequest()}};
    case Body::BROKER_STATUS:
      return get(in.getBrokerStatus(), checks);
    case Body::HANDOVER_REQUEST:
      return get(in.getHandoverRequest(), checks);
    case Body::HANDOVER_ANSWER:
      return get(in.getHandoverAnswer(), checks);
    case Body::CONFIG_REQUEST:
      return ConfigRequest{RequestId{in.getConfigRequest()}};
    case Body::CONFIGURATION:
      return get(in.getConfiguration(), checks);
    case Body::PROPOSE:
      return get(in.getPropose(), checks);
    case Body::CAST_VOTE:
      return get(in.getCastVote(), checks);
    case Body::PROPOSALS_REQUEST:
      return get(in.getProposalsRequest(), checks);
    case Body::PROPOSALS:
      return get(in.getProposals(), checks);
    case Body::MEMBER_HISTORY_REQUEST:
      return MemberHistoryRequest{RequestId{in.getMemberHistoryRequest().getRequest()},
                                  in.getMemberHistoryRequest().getAfter()};
    case Body::MEMBER_HISTORY:
      return get(in.getMemberHistory(), checks);
    case Body::MOVES:
      return get(in.getMoves(), checks);
    case Body::ROLE_REPORT:
      return get(in.getRoleReport(), checks);
    case Body::ROLE_QUERY:
      return RoleQuery{RequestId{in.getRoleQuery().getRequest()},
                       checks.name(in.getRoleQuery().getNode(), "a node that is not a name")};
    case Body::ROLE_REPORTS:
      return get(in.getRoleReports(), checks);
    case Body::ROLE_CHANGE:
      return get(in.getRoleChange(), checks);
    case Body::ROLE_CHANGE_ANSWER:
      return get(in.getRoleChangeAnswer(), checks);
  }
  checks.require(false, "a message of a kind this version does not know");
  return Ping{};
}

}  // namespace wire

// Cap'n Proto's description is "expected CONDITION [VALUES]; a sentence". Only the sentence is for people:
// the values may be the sender's own bytes.
static std::string what_was_wrong(const kj::Exception& exception) {
  const std::string_view all = exception.getDescription().cStr();
  const auto sentence = all.rfind("; ");
  return sentence == std::string_view::npos ? "it is damaged" : std::string(all.substr(sentence + 2));
}

Result<Envelope> Decoder::decode(ByteView frame) {
  if (frame.size() > limits::message_bytes) {
    return fault(FaultKind::BadData, "a message of over 8 MiB: send less at once");
  }
  if (frame.empty() || frame.size() % sizeof(capnp::word) != 0) {
    return fault(FaultKind::BadData, "not a cidbus message: its size is no multiple of 8");
  }
  if (reinterpret_cast<std::uintptr_t>(frame.data()) % sizeof(capnp::word) != 0) {
    aligned_.assign(frame.begin(), frame.end());
    frame = aligned_;
  }
  try {
    const kj::ArrayPtr<const capnp::word> words{reinterpret_cast<const capnp::word*>(frame.data()),
                                                frame.size() / sizeof(capnp::word)};
    capnp::ReaderOptions options;
    options.traversalLimitInWords =
        4 * words.size() + 1024;  // some pointers may alias; amplification may not
    options.nestingLimit = 16;
    capnp::FlatArrayMessageReader reader(words, options);
    const auto in = reader.getRoot<schema::Envelope>();
    wire::Checks checks;
    Envelope envelope;
    envelope.header.version = in.getVersion();
    envelope.header.cluster = {in.getCluster()};
    envelope.header.epoch = {in.getEpoch()};
    envelope.header.sender = checks.name(in.getSender(), "a sender that is not a name");
    envelope.header.incarnation = {in.getIncarnation()};
    // The body of another version may mean anything: the header alone decides the answer.
    if (envelope.header.version == protocol_version) envelope.message = wire::get_body(in.getBody(), checks);
    if (checks.problem() != nullptr) {
      return fault(FaultKind::BadData, std::string("not a valid message: it holds ") + checks.problem());
    }
    return envelope;
  } catch (const kj::Exception& exception) {
    return fault(FaultKind::BadData, "not a cidbus message: " + what_was_wrong(exception));
  }
}

}  // namespace cidbus
