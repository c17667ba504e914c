#include <capnp/serialize.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "shared/base/limits/messages.h"
#include "shared/wire/codec.h"
#include "shared/wire/values.h"

namespace cidbus {
namespace wire {
namespace {

using Body = schema::Envelope::Body::Builder;

std::uint64_t count_of(std::chrono::milliseconds duration) {
  return duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count());
}
capnp::Data::Reader data_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }
capnp::Data::Reader data_of(const SessionId& session) { return {session.bytes.data(), session.bytes.size()}; }
capnp::Data::Reader data_of(const std::vector<BlockKey>& keys) {
  static_assert(sizeof(BlockKey) == 16);
  return {reinterpret_cast<const capnp::byte*>(keys.data()), keys.size() * sizeof(BlockKey)};
}
template <typename Container>
unsigned size_of(const Container& container) {
  return static_cast<unsigned>(container.size());
}

template <typename List>
void put_all(List out, const std::vector<AttemptId>& attempts) {
  for (unsigned place = 0; place < out.size(); ++place) put(out[place], attempts[place]);
}
template <typename List>
void put_all(List out, const std::vector<TaskId>& tasks) {
  for (unsigned place = 0; place < out.size(); ++place) out.set(place, tasks[place].value);
}

template <typename List>
void put_all(List out, const std::vector<std::string_view>& texts) {
  for (unsigned place = 0; place < out.size(); ++place) out.set(place, text_of(texts[place]));
}

void put(Body out, const Hello& hello) {
  auto body = out.initHello();
  body.setRole(static_cast<schema::Role>(hello.role));
  wire::put(body.initLoad(), hello.load);
  put_all(body.initTaskTypes(size_of(hello.task_types)), hello.task_types);
  body.setExchange(text_of(hello.exchange));
  put_all(body.initRunning(size_of(hello.running)), hello.running);
  if (!hello.strict_types.empty()) {
    put_all(body.initStrictTypes(size_of(hello.strict_types)), hello.strict_types);
  }
  if (!hello.labels.empty()) wire::put(body.initLabels(size_of(hello.labels)), hello.labels);
}
template <typename List>
void put_all(List out, const std::vector<NodeAddress>& nodes) {
  for (unsigned place = 0; place < out.size(); ++place) wire::put(out[place], nodes[place]);
}
void put(Body out, const Welcome& welcome) {
  auto body = out.initWelcome();
  body.setLeader(text_of(welcome.leader));
  body.setHeartbeatMs(count_of(welcome.heartbeat));
  body.setNodeTimeoutMs(count_of(welcome.node_timeout));
  body.setLeaseMs(count_of(welcome.lease));
  body.setCredit(welcome.credit);
  put_all(body.initBrokers(size_of(welcome.brokers)), welcome.brokers);
}
void put(Body out, const Redirect& redirect) {
  auto body = out.initRedirect();
  body.setLeader(text_of(redirect.leader));
  body.setEndpoint(text_of(redirect.endpoint));
  put_all(body.initBrokers(size_of(redirect.brokers)), redirect.brokers);
}
void put(Body out, const Refused& refused) {
  auto body = out.initRefused();
  body.setWhy(static_cast<schema::Refusal>(refused.why));
  body.setReason(text_of(refused.reason));
  body.setRetryAfterMs(count_of(refused.retry_after));
}
void put(Body out, const Goodbye& goodbye) { out.setGoodbye(text_of(goodbye.reason)); }
void put(Body out, const Ping&) { out.setPing(); }
void put(Body out, const Pong&) { out.setPong(); }

bool is_plain(const TaskOptions& options) {
  static constexpr TaskOptions plain;
  return options.priority == plain.priority && options.tries == plain.tries && options.delay == plain.delay &&
         options.deadline == plain.deadline && options.time_limit == plain.time_limit &&
         options.backoff == plain.backoff && options.key.empty();
}
void put(Body out, const Submit& submit) {
  auto body = out.initSubmit();
  body.setSession(data_of(submit.session));
  body.setLowWater(submit.low_water);
  auto items = body.initItems(size_of(submit.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    const SubmitItem& item = submit.items[place];
    auto to = items[place];
    to.setSeq(item.seq);
    to.setType(text_of(item.type));
    if (!is_plain(item.options))
      wire::put(to.initOptions(), item.options);  // the schema has the same defaults
    to.setWork(data_of(item.work));
  }
}
void put(Body out, const Accepted& accepted) {
  auto body = out.initAccepted();
  body.setSession(data_of(accepted.session));
  body.setDurability(static_cast<schema::Durability>(accepted.durability));
  auto items = body.initItems(size_of(accepted.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    items[place].setSeq(accepted.items[place].seq);
    items[place].setTask(accepted.items[place].task.value);
    items[place].setDuplicate(accepted.items[place].duplicate);
  }
}
void put(Body out, const Rejected& rejected) {
  auto body = out.initRejected();
  body.setSession(data_of(rejected.session));
  auto items = body.initItems(size_of(rejected.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    const RejectedItem& item = rejected.items[place];
    items[place].setSeq(item.seq);
    items[place].setWhy(static_cast<schema::Refusal>(item.why));
    items[place].setReason(text_of(item.reason));
    items[place].setRetryAfterMs(count_of(item.retry_after));
  }
}
void put(Body out, const SessionResume& resume) {
  auto body = out.initSessionResume();
  body.setSession(data_of(resume.session));
  body.setCursor(resume.cursor);
}
void put(Body out, const SessionClose& close) { out.setSessionClose(data_of(close.session)); }
void put(Body out, const Results& results) {
  auto body = out.initResults();
  body.setSession(data_of(results.session));
  auto items = body.initItems(size_of(results.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    const ResultItem& item = results.items[place];
    auto to = items[place];
    to.setRseq(item.rseq);
    to.setSeq(item.seq);
    wire::put(to.initInfo(), item.info);
  }
}
void put(Body out, const ResultAck& ack) {
  auto body = out.initResultAck();
  body.setSession(data_of(ack.session));
  body.setCursor(ack.cursor);
}

void put(Body out, const Credit& credit) { out.setCredit(credit.tasks); }
void put(Body out, const Dispatch& dispatch) {
  auto items = out.initDispatch(size_of(dispatch.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    const DispatchItem& item = dispatch.items[place];
    auto to = items[place];
    wire::put(to.initAttempt(), item.attempt);
    to.setType(text_of(item.type));
    to.setTimeLimitMs(count_of(item.time_limit));
    to.setWork(data_of(item.work));
    to.setStrict(item.strict);
    to.setLeaseMs(count_of(item.lease));
  }
}
void put(Body out, const Renew& renew) {
  auto body = out.initRenew();
  put_all(body.initAttempts(size_of(renew.attempts)), renew.attempts);
  body.setNumber(renew.number);
}
void put(Body out, const Renewed& renewed) {
  auto body = out.initRenewed();
  put_all(body.initAttempts(size_of(renewed.attempts)), renewed.attempts);
  put_all(body.initLost(size_of(renewed.lost)), renewed.lost);
  body.setNumber(renewed.number);
}
void put(Body out, const Progress& progress) {
  auto body = out.initProgress();
  wire::put(body.initAttempt(), progress.attempt);
  body.setPermille(progress.permille);
  body.setNote(text_of(progress.note));
}
void put(Body out, const Complete& complete) {
  auto items = out.initComplete(size_of(complete.items));
  for (unsigned place = 0; place < items.size(); ++place) {
    const CompleteItem& item = complete.items[place];
    auto to = items[place];
    wire::put(to.initAttempt(), item.attempt);
    to.setOutcome(static_cast<schema::Outcome>(item.outcome));
    if (!item.result.empty()) to.setResult(data_of(item.result));
    if (!item.error.empty()) to.setError(text_of(item.error));
    if (!item.log.empty()) to.setLog(data_of(item.log));
    to.setElapsedUs(item.elapsed.count() < 0 ? 0 : static_cast<std::uint64_t>(item.elapsed.count()));
  }
}
void put(Body out, const CompleteAck& ack) {
  put_all(out.initCompleteAck(size_of(ack.attempts)), ack.attempts);
}
void put(Body out, const Revoke& revoke) {
  put_all(out.initRevoke(size_of(revoke.attempts)), revoke.attempts);
}

void put(Body out, const TaskQuery& query) {
  auto body = out.initTaskQuery();
  body.setRequest(query.request.value);
  body.setWait(query.kind == TaskQuery::Kind::Wait);
  body.setLogs(query.kind == TaskQuery::Kind::Logs);
  put_all(body.initTasks(size_of(query.tasks)), query.tasks);
}
void put(Body out, const TaskList& list) {
  auto body = out.initTaskList();
  body.setRequest(list.request.value);
  body.setAnyState(!list.state.has_value());
  if (list.state) body.setState(static_cast<schema::TaskState>(*list.state));
  body.setType(text_of(list.type));
  body.setLimit(list.limit);
  body.setBefore(list.before.value);
}
void put(Body out, const TaskInfos& infos) {
  auto body = out.initTaskInfos();
  body.setRequest(infos.request.value);
  auto tasks = body.initTasks(size_of(infos.tasks));
  for (unsigned place = 0; place < tasks.size(); ++place) wire::put(tasks[place], infos.tasks[place]);
  put_all(body.initUnknown(size_of(infos.unknown)), infos.unknown);
  body.setMore(infos.more);
}
void put(Body out, const Cancel& cancel) {
  auto body = out.initCancel();
  body.setRequest(cancel.request.value);
  put_all(body.initTasks(size_of(cancel.tasks)), cancel.tasks);
}
void put(Body out, const CancelAnswers& answers) {
  auto body = out.initCancelAnswers();
  body.setRequest(answers.request.value);
  auto items = body.initAnswers(size_of(answers.answers));
  for (unsigned place = 0; place < items.size(); ++place) {
    items[place].setTask(answers.answers[place].first.value);
    items[place].setAnswer(static_cast<schema::CancelAnswer>(answers.answers[place].second));
  }
}
void put(Body out, const SnapshotRequest& request) { out.setSnapshotRequest(request.request.value); }
void put(Body out, const Snapshot& snapshot) {
  auto body = out.initSnapshot();
  body.setRequest(snapshot.request.value);
  body.setCluster(text_of(snapshot.cluster));
  body.setLeader(text_of(snapshot.leader));
  body.setDurability(static_cast<schema::Durability>(snapshot.durability));
  body.setApplied(snapshot.applied.value);
  auto brokers = body.initBrokers(size_of(snapshot.brokers));
  for (unsigned place = 0; place < brokers.size(); ++place)
    wire::put(brokers[place], snapshot.brokers[place]);
  auto members = body.initMembers(size_of(snapshot.members));
  for (unsigned place = 0; place < members.size(); ++place)
    wire::put(members[place], snapshot.members[place]);
  auto states = body.initTasksByState(size_of(snapshot.tasks_by_state));
  for (unsigned place = 0; place < states.size(); ++place) states.set(place, snapshot.tasks_by_state[place]);
  body.setBlocksIndexed(snapshot.blocks_indexed);
}

void put(Body out, const BrokerStatusRequest& request) { out.setBrokerStatusRequest(request.request.value); }
void put(Body out, const BrokerStatus& status) { wire::put(out.initBrokerStatus(), status); }
void put(Body out, const HandoverRequest& request) { wire::put(out.initHandoverRequest(), request); }
void put(Body out, const HandoverAnswer& answer) { wire::put(out.initHandoverAnswer(), answer); }

void put(Body out, const Announce& announce) {
  auto body = out.initAnnounce();
  body.setFirst(announce.first);
  if (!announce.added.empty()) body.setAdded(data_of(announce.added));
  if (!announce.removed.empty()) body.setRemoved(data_of(announce.removed));
}
void put(Body out, const Find& find) {
  auto body = out.initFind();
  body.setRequest(find.request.value);
  body.setBlocks(data_of(find.blocks));
}
void put(Body out, const Providers& providers) {
  auto body = out.initProviders();
  body.setRequest(providers.request.value);
  put_all(body.initNodes(size_of(providers.nodes)), providers.nodes);
  auto blocks = body.initBlocks(size_of(providers.blocks));
  for (unsigned place = 0; place < blocks.size(); ++place) {
    const Found& found = providers.blocks[place];
    blocks[place].setBlock({found.block.bytes.data(), found.block.bytes.size()});
    auto holders = blocks[place].initHolders(size_of(found.holders));
    for (unsigned at = 0; at < holders.size(); ++at) holders.set(at, found.holders[at]);
  }
}
using Tags = std::vector<std::pair<std::string_view, std::string_view>>;
void put_tags(capnp::List<schema::ContentName::Tag>::Builder out, const Tags& tags) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setKey(text_of(tags[place].first));
    out[place].setValue(text_of(tags[place].second));
  }
}
void put_name(schema::ContentName::Builder out, const ContentName& name) {
  out.setName(text_of(name.name));
  out.setCid({name.cid.data(), name.cid.size()});
  put_tags(out.initTags(size_of(name.tags)), name.tags);
  out.setNamedAt(name.named_at.milliseconds);
}
void put(Body out, const NameContent& wanted) {
  auto body = out.initNameContent();
  body.setRequest(wanted.request.value);
  put_name(body.initEntry(), wanted.entry);
}
void put(Body out, const FindContent& question) {
  auto body = out.initFindContent();
  body.setRequest(question.request.value);
  body.setName(text_of(question.name));
  put_tags(body.initTags(size_of(question.tags)), question.tags);
  body.setAfter(text_of(question.after));
  body.setLimit(question.limit);
}
void put(Body out, const ContentNames& names) {
  auto body = out.initContentNames();
  body.setRequest(names.request.value);
  auto entries = body.initEntries(size_of(names.entries));
  for (unsigned place = 0; place < entries.size(); ++place) put_name(entries[place], names.entries[place]);
  body.setNext(text_of(names.next));
}
void put(Body out, const Place& place) {
  auto body = out.initPlace();
  body.setRequest(place.request.value);
  body.setCopies(place.copies);
  body.setBytes(place.bytes);
  put_all(body.initExclude(size_of(place.exclude)), place.exclude);
}
void put(Body out, const Placement& placement) {
  auto body = out.initPlacement();
  body.setRequest(placement.request.value);
  put_all(body.initNodes(size_of(placement.nodes)), placement.nodes);
  body.setStoringNodes(placement.storing_nodes);
}

void put(Body out, const WantBlocks& want) {
  auto body = out.initWantBlocks();
  body.setRequest(want.request.value);
  auto cids = body.initCids(size_of(want.cids));
  for (unsigned place = 0; place < cids.size(); ++place) cids.set(place, data_of(want.cids[place]));
}
void put(Body out, const BlockReply& reply) {
  auto body = out.initBlockReply();
  body.setRequest(reply.request.value);
  body.setCid(data_of(reply.cid));
  body.setAnswer(static_cast<schema::BlockAnswer>(reply.answer));
}
void put(Body out, const StoreBlock& store) {
  auto body = out.initStoreBlock();
  body.setRequest(store.request.value);
  body.setCid(data_of(store.cid));
}
void put(Body out, const StoreReply& reply) {
  auto body = out.initStoreReply();
  body.setRequest(reply.request.value);
  body.setCid(data_of(reply.cid));
  body.setAnswer(static_cast<schema::StoreAnswer>(reply.answer));
  if (!reply.reason.empty()) body.setReason(text_of(reply.reason));
}
void put(Body out, const ConfigRequest& request) { out.setConfigRequest(request.request.value); }
void put(Body out, const Configuration& configuration) { wire::put(out.initConfiguration(), configuration); }
void put(Body out, const Propose& propose) { wire::put(out.initPropose(), propose); }
void put(Body out, const CastVote& vote) { wire::put(out.initCastVote(), vote); }
void put(Body out, const ProposalsRequest& request) { wire::put(out.initProposalsRequest(), request); }
void put(Body out, const Proposals& proposals) { wire::put(out.initProposals(), proposals); }
void put(Body out, const MemberHistoryRequest& request) {
  auto body = out.initMemberHistoryRequest();
  body.setRequest(request.request.value);
  body.setAfter(request.after);
}
void put(Body out, const MemberHistory& history) { wire::put(out.initMemberHistory(), history); }
void put(Body out, const Moves& moves) { wire::put(out.initMoves(), moves); }
void put(Body out, const RoleReport& report) { wire::put(out.initRoleReport(), report); }
void put(Body out, const RoleQuery& query) {
  auto body = out.initRoleQuery();
  body.setRequest(query.request.value);
  if (!query.node.empty()) body.setNode(text_of(query.node));
}
void put(Body out, const RoleReports& reports) { wire::put(out.initRoleReports(), reports); }
void put(Body out, const RoleChange& change) { wire::put(out.initRoleChange(), change); }
void put(Body out, const RoleChangeAnswer& answer) { wire::put(out.initRoleChangeAnswer(), answer); }
void put(Body out, const Feed& feed) { wire::put(out.initFeed(), feed); }

}  // namespace

void put_body(schema::Envelope::Body::Builder out, const Message& message) {
  std::visit([&](const auto& value) { put(out, value); }, message);
}

}  // namespace wire

// `scratch` is the builder's first segment behind one word for the segment table, so that a message which
// fits it is its own frame: nothing is allocated, nothing copied. It grows to the largest message seen.
struct Encoder::Buffers {
  kj::Array<capnp::word> scratch = zeroed(1024);
  // Of the last message; it zeroes what it used of the scratch when it goes, which is what the next one
  // needs.
  std::optional<capnp::MallocMessageBuilder> builder;
  std::size_t wanted_words = 0;  // more than the scratch has: it is to grow before the next message
  Bytes frame;                   // of a message in more than one segment

  ~Buffers() { builder.reset(); }
  static kj::Array<capnp::word> zeroed(std::size_t words) {
    auto array = kj::heapArray<capnp::word>(words);
    std::memset(static_cast<void*>(array.begin()), 0, words * sizeof(capnp::word));
    return array;
  }
  capnp::MallocMessageBuilder& begin() {
    builder.reset();
    if (wanted_words > scratch.size()) scratch = zeroed(wanted_words);
    return builder.emplace(scratch.slice(1, scratch.size()));
  }
  ByteView one_segment(std::size_t words) {
    const std::array<std::uint32_t, 2> table{0, static_cast<std::uint32_t>(words)};
    static_assert(sizeof(table) == sizeof(capnp::word));
    std::memcpy(static_cast<void*>(scratch.begin()), table.data(), sizeof(table));
    return {reinterpret_cast<const std::uint8_t*>(scratch.begin()), (words + 1) * sizeof(capnp::word)};
  }
  template <typename Segments>
  ByteView many_segments(const Segments& segments) {
    std::size_t words = 1;
    frame.clear();
    ByteWriter writer(frame);
    writer.number(static_cast<std::uint32_t>(segments.size() - 1));
    for (const auto& segment : segments) writer.number(static_cast<std::uint32_t>(segment.size()));
    if (segments.size() % 2 == 0) writer.number(std::uint32_t{0});
    for (const auto& segment : segments) {
      const auto bytes = segment.asBytes();
      writer.raw({bytes.begin(), bytes.size()});
      words += segment.size();
    }
    wanted_words = std::min<std::size_t>(words * 2, limits::message_bytes / sizeof(capnp::word));
    return frame;
  }
};

Encoder::Encoder() : buffers_(std::make_unique<Buffers>()) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

ByteView Encoder::encode(const Header& header, const Message& message) {
  auto& builder = buffers_->begin();
  auto envelope = builder.initRoot<schema::Envelope>();
  envelope.setVersion(header.version);
  envelope.setCluster(header.cluster.value);
  envelope.setEpoch(header.epoch.value);
  envelope.setSender(wire::text_of(header.sender));
  envelope.setIncarnation(header.incarnation.value);
  wire::put_body(envelope.getBody(), message);
  const auto segments = builder.getSegmentsForOutput();
  return segments.size() == 1 ? buffers_->one_segment(segments[0].size()) : buffers_->many_segments(segments);
}

}  // namespace cidbus
