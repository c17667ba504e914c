# The bus, the feed and the block exchange: every message, in one envelope.
#
# Model. Nodes and clients hold a DEALER socket to each broker's ROUTER and talk to the leader; a broker that is not the
# leader answers with `redirect`. Whoever cannot be served is answered with `refused` and a reason, never with silence.
# Each message is one ZeroMQ frame holding an Envelope in the standard stream framing; a block's bytes follow as a second
# frame (blockReply, storeBlock). On the feed the topic's name stands before it as a frame of its own.
#
# Lists are the rule: whatever one turn of a reactor has collected for a peer leaves as one message.
# When each message is sent, and what answers it: PROTOCOL.md. What its values mean: shared/core/message.h.

@0xa94c08f3be725d61;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("cidbus::schema");

using import "task.capnp".TaskState;
using import "task.capnp".Outcome;
using import "task.capnp".Attempt;
using import "task.capnp".TaskOptions;
using import "task.capnp".TaskInfo;
using import "node.capnp".Role;
using import "node.capnp".NodeLoad;
using import "node.capnp".Member;
using import "node.capnp".NodeAddress;
using import "node.capnp".Label;
using import "node.capnp".MemberState;
using import "node.capnp".MemberChange;
using import "node.capnp".Move;
using import "node.capnp".MovedSetting;
using import "node.capnp".RoleChance;
using import "node.capnp".BrokerInfo;

struct Envelope {
  version @0 :UInt16;      # of this protocol: 1
  cluster @1 :UInt64;      # FNV-1a of the cluster's name
  epoch @2 :UInt64;        # the sender's
  sender @3 :Text;         # node name
  incarnation @4 :UInt64;  # of the sender's process

  body :union {
    # joining and leaving
    hello @5 :Hello;
    welcome @6 :Welcome;
    redirect @7 :Redirect;      # to the leader
    refused @8 :Refused;
    goodbye @9 :Text;           # the reason
    ping @10 :Void;
    pong @11 :Void;

    # clients
    submit @12 :Submit;
    accepted @13 :Accepted;
    rejected @14 :Rejected;
    sessionResume @15 :SessionCursor;
    sessionClose @16 :Data;     # the session
    results @17 :Results;
    resultAck @18 :SessionCursor;

    # workers
    credit @19 :UInt32;         # so many more tasks may be sent
    dispatch @20 :List(DispatchItem);
    renew @21 :Renew;
    renewed @22 :Renewed;
    progress @23 :Progress;
    complete @24 :List(CompleteItem);
    completeAck @25 :List(Attempt);
    revoke @26 :List(Attempt);

    # questions
    taskQuery @27 :TaskQuery;
    taskList @28 :TaskList;
    taskInfos @29 :TaskInfos;
    cancel @30 :TaskIds;
    cancelAnswers @31 :CancelAnswers;
    snapshotRequest @32 :UInt64;  # request
    snapshot @33 :Snapshot;

    # the content index
    announce @34 :Announce;
    find @35 :Find;
    providers @36 :Providers;
    place @37 :Place;
    placement @38 :Placement;

    # the block exchange
    wantBlocks @39 :WantBlocks;
    blockReply @40 :BlockReply;
    storeBlock @41 :StoreBlock;
    storeReply @42 :StoreReply;

    # the feed
    feed @43 :Feed;

    # names of content
    nameContent @44 :NameContent;
    findContent @45 :FindContent;
    contentNames @46 :ContentNames;

    # brokers and their office
    brokerStatusRequest @47 :UInt64;  # request
    brokerStatus @48 :BrokerStatus;
    handoverRequest @49 :HandoverRequest;
    handoverAnswer @50 :HandoverAnswer;

    # configuration by vote
    configRequest @51 :UInt64;    # request
    configuration @52 :Configuration;
    propose @53 :Propose;
    castVote @54 :CastVote;
    proposalsRequest @55 :ProposalsRequest;
    proposals @56 :Proposals;

    # what became of members
    memberHistoryRequest @57 :MemberHistoryRequest;
    memberHistory @58 :MemberHistory;

    # roles, and what nodes move of themselves
    moves @59 :Moves;
    roleReport @60 :RoleReport;
    roleQuery @61 :RoleQuery;
    roleReports @62 :RoleReports;
    roleChange @63 :RoleChange;
    roleChangeAnswer @64 :RoleChangeAnswer;
  }
}

# ---- joining and leaving ----

struct Hello {
  role @0 :Role;
  slotsOnly @1 :UInt32;          # before there was a load; neither written nor read
  taskTypes @2 :List(Text);
  exchange @3 :Text;             # host:port
  running @4 :List(Attempt);     # what it is at, or has finished and not had acknowledged
  strictTypes @5 :List(Text);    # of taskTypes: those that must never run twice at once
  load @6 :NodeLoad;             # as in every heartbeat
  labels @7 :List(Label);
}

struct Welcome {
  leader @0 :Text;
  heartbeatMs @1 :UInt64;
  nodeTimeoutMs @2 :UInt64;
  leaseMs @3 :UInt64;
  credit @4 :UInt32;             # unanswered submissions a client may have on the way
  brokers @5 :List(NodeAddress); # all of the group; none when the sender is no broker
}

struct Redirect {
  leader @0 :Text;               # empty when nobody is in office
  endpoint @1 :Text;             # host:port
  brokers @2 :List(NodeAddress); # as in Welcome
}

enum Refusal {
  wrongVersion @0;
  wrongCluster @1;
  nameTaken @2;
  badMessage @3;
  notAllowed @4;
  notLeader @5;
  sessionExpired @6;
  exhausted @7;
  notKnown @8;
}

struct Refused {
  why @0 :Refusal;
  reason @1 :Text;
  retryAfterMs @2 :UInt64;
}

# ---- clients ----

struct Submit {
  session @0 :Data;              # 16 bytes
  lowWater @1 :UInt64;
  items @2 :List(Item);
  struct Item {
    seq @0 :UInt64;
    type @1 :Text;
    options @2 :TaskOptions;
    work @3 :Data;
  }
}

enum Durability { memory @0; disk @1; quorum @2; }

struct Accepted {
  session @0 :Data;
  durability @1 :Durability;
  items @2 :List(Item);
  struct Item {
    seq @0 :UInt64;
    task @1 :UInt64;
    duplicate @2 :Bool;
  }
}

struct Rejected {
  session @0 :Data;
  items @1 :List(Item);
  struct Item {
    seq @0 :UInt64;
    why @1 :Refusal;
    reason @2 :Text;
    retryAfterMs @3 :UInt64;
  }
}

struct SessionCursor {
  session @0 :Data;
  cursor @1 :UInt64;
}

struct Results {
  session @0 :Data;
  items @1 :List(Item);
  struct Item {
    rseq @0 :UInt64;
    seq @1 :UInt64;
    info @2 :TaskInfo;
  }
}

# ---- workers ----

struct DispatchItem {
  attempt @0 :Attempt;
  type @1 :Text;
  timeLimitMs @2 :UInt64;
  work @3 :Data;
  strict @4 :Bool;               # to begin only once a renewal is answered, to end before the lease does
  leaseMs @5 :UInt64;
}

struct Renew {
  attempts @0 :List(Attempt);
  number @1 :UInt64;             # the worker's own, repeated by the answer: it knows when it asked
}

struct Renewed {
  attempts @0 :List(Attempt);
  lost @1 :List(Attempt);
  number @2 :UInt64;
}

struct Progress {
  attempt @0 :Attempt;
  permille @1 :UInt32;
  note @2 :Text;
}

struct CompleteItem {
  attempt @0 :Attempt;
  outcome @1 :Outcome;
  result @2 :Data;
  error @3 :Text;
  elapsedUs @4 :UInt64;
  log @5 :Data;                  # the end of what it said: shared/core/attempt_history.h
}

# ---- questions ----

struct TaskQuery {
  request @0 :UInt64;
  wait @1 :Bool;                 # answered as each task becomes final, not at once
  tasks @2 :List(UInt64);
  logs @3 :Bool;                 # with the history of each
}

struct TaskList {
  request @0 :UInt64;
  anyState @1 :Bool;
  state @2 :TaskState;
  type @3 :Text;
  limit @4 :UInt32;
  before @5 :UInt64;
}

struct TaskInfos {
  request @0 :UInt64;
  tasks @1 :List(TaskInfo);
  unknown @2 :List(UInt64);
  more @3 :Bool;
}

struct TaskIds {
  request @0 :UInt64;
  tasks @1 :List(UInt64);
}

enum CancelAnswer { cancelled @0; alreadyFinal @1; unknown @2; }

struct CancelAnswers {
  request @0 :UInt64;
  answers @1 :List(Item);
  struct Item {
    task @0 :UInt64;
    answer @1 :CancelAnswer;
  }
}

struct Snapshot {
  request @0 :UInt64;
  cluster @1 :Text;
  leader @2 :Text;
  durability @3 :Durability;
  applied @4 :UInt64;
  brokers @5 :List(BrokerInfo);
  members @6 :List(Member);
  tasksByState @7 :List(UInt64);  # in the order of TaskState
  blocksIndexed @8 :UInt64;
}

struct MemberHistoryRequest {
  request @0 :UInt64;
  after @1 :UInt64;              # only changes with a higher number
}

struct MemberHistory {
  request @0 :UInt64;
  changes @1 :List(MemberChange);  # oldest first
  more @2 :Bool;
  epoch @3 :UInt64;              # of the office: numbers begin anew with each
}

# ---- brokers and their office ----

enum Duty { standby @0; electing @1; leader @2; }
enum StateTrust { good @0; doubted @1; quarantined @2; differs @3; }

struct BrokerStatus {
  request @0 :UInt64;
  name @1 :Text;                 # of the one asked
  duty @2 :Duty;
  leader @3 :Text;               # whom it follows; empty for nobody
  epoch @4 :UInt64;
  last @5 :UInt64;               # journal indices, as in BrokerInfo
  durable @6 :UInt64;
  commit @7 :UInt64;
  applied @8 :UInt64;
  durability @9 :Durability;
  brokers @10 :List(Peer);       # all of its group, itself among them
  configVersion @11 :UInt64;     # of the configuration it has applied
  trust @12 :StateTrust;
  agreed @13 :UInt64;            # the newest record after which its state was compared and found equal
  struct Peer {
    name @0 :Text;
    endpoint @1 :Text;
    priority @2 :Int32;
    durable @3 :UInt64;          # as far as the one asked was told; 0 unless it leads
    lastContact @4 :Int64;       # milliseconds since 1970 UTC; 0: never
  }
}

struct HandoverRequest {
  request @0 :UInt64;
  to @1 :Text;                   # empty: whom the leader thinks best
  epoch @2 :UInt64;              # the office that is to be handed over; in a later one nothing is done
}

enum HandoverOutcome { done @0; noSuchBroker @1; notReady @2; notTaken @3; }

struct HandoverAnswer {
  request @0 :UInt64;
  outcome @1 :HandoverOutcome;
  leader @2 :Text;
  epoch @3 :UInt64;
  reason @4 :Text;
}

# ---- roles, and what nodes move of themselves ----

struct Moves {                   # all of it, in the place of what was told before
  settings @0 :List(MovedSetting);
  moves @1 :List(Move);          # oldest first
}

struct RoleReport {
  node @0 :Text;
  role @1 :Role;
  next @2 :Role;                 # what it is changing to; client for nothing
  since @3 :Int64;
  byItself @4 :Bool;             # it changes without being told, too
  proposal @5 :UInt64;           # the newest that it has carried out, or could not
  chances @6 :List(RoleChance);
}

struct RoleQuery {
  request @0 :UInt64;
  node @1 :Text;                 # empty: all
}

struct RoleReports {
  request @0 :UInt64;
  nodes @1 :List(NodeRole);      # by name

  struct NodeRole {
    node @0 :Text;
    role @1 :Role;
    state @2 :MemberState;
    changes @3 :Bool;            # when told
    byItself @4 :Bool;
    next @5 :Role;
    since @6 :Int64;
    chances @7 :List(RoleChance);
    settings @8 :List(MovedSetting);
    moves @9 :List(Move);        # of one that was named only
  }
}

struct RoleChange {
  request @0 :UInt64;
  token @1 :UInt64;              # random: the same again is the same change
  node @2 :Text;
  role @3 :Role;
  force @4 :Bool;                # though it is the last worker, or a broker that the quorum needs
  proposal @5 :UInt64;           # that was accepted; 0: a person asks
}

enum RoleChangeOutcome { done @0; begun @1; refused @2; failed @3; }

struct RoleChangeAnswer {
  request @0 :UInt64;
  token @1 :UInt64;
  node @2 :Text;
  outcome @3 :RoleChangeOutcome;
  reason @4 :Text;
}

# ---- configuration by vote ----

enum ProposalKind { configChange @0; membershipChange @1; roleChange @2; }
enum ProposalStatus { pending @0; accepted @1; rejected @2; expired @3; }

struct Proposal {
  id @0 :UInt64;                 # from 1
  kind @1 :ProposalKind;
  subject @2 :Text;              # a key; a node's name
  value @3 :Int64;               # in the key's unit; 1 to forbid the name, 0 to let it in again; a Role
  proposer @4 :Text;
  proposedAt @5 :Int64;          # milliseconds since 1970 UTC
  deadline @6 :Int64;
  decidedAt @7 :Int64;           # 0 while pending
  status @8 :ProposalStatus;
  version @9 :UInt64;            # of the configuration that it made; 0 unless accepted
  eligible @10 :UInt32;          # how many have a vote
  yes @11 :UInt32;
  no @12 :UInt32;
  votes @13 :List(Vote);
  waiting @14 :List(Text);       # who has not voted
  struct Vote {
    voter @0 :Text;
    yes @1 :Bool;
    byPerson @2 :Bool;
    reason @3 :Text;
  }
}

struct Configuration {
  request @0 :UInt64;            # 0 when nobody asked
  version @1 :UInt64;            # counts accepted proposals
  entries @2 :List(Entry);       # keys that were ever voted on
  forbidden @3 :List(Text);      # names of nodes; of an answer only
  open @4 :List(Proposal);       # without votes and who waits
  struct Entry {
    key @0 :Text;
    value @1 :Int64;
    version @2 :UInt64;
    proposal @3 :UInt64;
    since @4 :Int64;
  }
}

struct Propose {
  request @0 :UInt64;
  token @1 :UInt64;              # random: a proposal that is sent again is known by it
  kind @2 :ProposalKind;
  subject @3 :Text;
  value @4 :Text;                # as people write it
  deadlineMs @5 :UInt64;
}

struct CastVote {
  request @0 :UInt64;
  proposal @1 :UInt64;
  voter @2 :Text;                # empty: a node's own; of a client, all that have not voted
  yes @3 :Bool;
  reason @4 :Text;
}

struct ProposalsRequest {
  request @0 :UInt64;
  id @1 :UInt64;                 # 0: all, newest first
  wait @2 :Bool;                 # answered when it is decided
  onlyOpen @3 :Bool;
  before @4 :UInt64;             # only older ones; 0 for the newest
}

struct Proposals {
  request @0 :UInt64;
  proposals @1 :List(Proposal);
  more @2 :Bool;
}

# ---- the content index ----

struct Announce {
  first @0 :Bool;                # forget what this node said before
  added @1 :Data;                # block keys of 16 bytes, one after the other
  removed @2 :Data;
}

struct Find {
  request @0 :UInt64;
  blocks @1 :Data;
}

struct ContentName {
  name @0 :Text;
  cid @1 :Data;                  # binary; empty in nameContent: the name is taken off
  tags @2 :List(Tag);
  namedAt @3 :Int64;             # milliseconds since 1970
  struct Tag {
    key @0 :Text;
    value @1 :Text;
  }
}

struct NameContent {
  request @0 :UInt64;
  entry @1 :ContentName;
}

struct FindContent {
  request @0 :UInt64;
  name @1 :Text;                 # a pattern with * and ?; empty for any
  tags @2 :List(ContentName.Tag);
  after @3 :Text;                # only names behind this one
  limit @4 :UInt32;
}

struct ContentNames {
  request @0 :UInt64;
  entries @1 :List(ContentName);
  next @2 :Text;                 # ask again after this one for more; empty: that was all
}

struct Providers {
  request @0 :UInt64;
  nodes @1 :List(NodeAddress);
  blocks @2 :List(Found);
  struct Found {
    block @0 :Data;
    holders @1 :List(UInt32);    # places in `nodes`
  }
}

struct Place {
  request @0 :UInt64;
  copies @1 :UInt32;
  bytes @2 :UInt64;
  exclude @3 :List(Text);
}

struct Placement {
  request @0 :UInt64;
  nodes @1 :List(NodeAddress);
  storingNodes @2 :UInt32;
}

# ---- the block exchange ----

struct WantBlocks {
  request @0 :UInt64;
  cids @1 :List(Data);
}

enum BlockAnswer { here @0; missing @1; busy @2; }

struct BlockReply {
  request @0 :UInt64;
  cid @1 :Data;
  answer @2 :BlockAnswer;
}

struct StoreBlock {
  request @0 :UInt64;
  cid @1 :Data;
}

enum StoreAnswer { synced @0; badHash @1; noRoom @2; busy @3; }

struct StoreReply {
  request @0 :UInt64;
  cid @1 :Data;
  answer @2 :StoreAnswer;
  reason @3 :Text;
}

# ---- the feed ----

enum FeedTopic { heartbeats @0; leader @1; members @2; tasks @3; counters @4; elections @5; config @6; metrics @7; }
enum ElectionWord {
  election @0;
  ok @1;
  aye @2;
  nay @3;
  voteRequest @4;
  vote @5;
  noVote @6;
  coordinator @7;
  handover @8;
  resign @9;
}

struct Feed {
  topic @0 :FeedTopic;
  number @1 :UInt64;             # of (publisher's incarnation, topic), without gaps
  applied @2 :UInt64;
  time @3 :Int64;
  events @4 :List(Event);

  struct Event {
    union {
      heartbeat @0 :Heartbeat;
      leader @1 :Leader;
      member @2 :Member;
      task @3 :Task;
      skipped @4 :UInt64;
      counters @5 :Counters;
      election @6 :Election;
      proposal @7 :Proposal;
      metrics @8 :Metrics;
    }
  }
  struct Heartbeat {
    name @0 :Text;
    role @1 :Role;
    incarnation @2 :UInt64;
    load @3 :NodeLoad;
  }
  struct Leader {
    leader @0 :Text;
    endpoint @1 :Text;
    epoch @2 :UInt64;
  }
  struct Task {
    task @0 :UInt64;
    type @1 :Text;
    state @2 :TaskState;
    worker @3 :Text;
    attempts @4 :UInt32;
  }
  struct Election {              # what its publisher said to another broker
    word @0 :ElectionWord;
    to @1 :Text;                 # empty: all
    epoch @2 :UInt64;
    last @3 :UInt64;             # newest record of who says it
    lastEpoch @4 :UInt64;
    priority @5 :Int32;          # -1 while unfit
  }
  struct Counters {
    tasksByState @0 :List(UInt64);
    accepted @1 :UInt64;
    finished @2 :UInt64;
    requeued @3 :UInt64;
    staleResults @4 :UInt64;
    refusedMessages @5 :UInt64;
  }
  struct Metrics {
    role @0 :Role;
    samples @1 :List(Sample);
  }
  struct Sample {
    metric @0 :UInt16;           # its place in `Metric` (shared/metrics/definitions.h)
    label @1 :Text;              # values, in the order of the table's names
    second @2 :Text;
    value @3 :Float64;           # in the base unit; of a histogram the sum
    buckets @4 :List(UInt64);    # of a histogram: up to the last that is not empty
  }
}
