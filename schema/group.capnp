# What the brokers of a group say to each other: election, heartbeats, replication (ports P+3 control, P+4 bulk).
#
# Model. Every broker holds a DEALER to each other broker's two ROUTERs. A message is a head frame, and then, for those
# that carry payload, one frame a batch (or the bytes of a snapshot's chunk), exactly as it lies in the journal:
#
#   head := u32 magic "cjg1"  u32 crc  envelope       crc: CRC32C of the envelope's bytes
#
# A batch has a checksum of its own. Members are named by their place in the list that `configHash` pins.
# What a message means and when it is sent: shared/core/group_messages.h, PROTOCOL.md.

@0xd0a8f3c6e51b7294;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("cidbus::schema");

struct GroupEnvelope {
  version @0 :UInt16;           # of this protocol: 1
  cluster @1 :UInt64;           # FNV-1a of the cluster's name
  configHash @2 :UInt64;        # of the list of members the group was started with
  configVersion @3 :UInt64;     # 0 until members are added or removed by records
  from @4 :Text;
  to @5 :Text;
  fromIncarnation @6 :Data;     # 16 bytes, of the sender's disk
  toIncarnation @7 :Data;       # as far as the sender knows; empty while it does not
  epoch @8 :UInt64;             # the sender's

  body :union {
    election @9 :Election;
    ok @10 :Answer;
    aye @11 :Answer;
    nay @12 :Nay;
    voteRequest @13 :VoteRequest;
    vote @14 :Vote;
    beat @15 :Beat;
    beatAck @16 :BeatAck;
    append @17 :Append;
    appendAck @18 :AppendAck;
    fetch @19 :Fetch;
    fetchData @20 :FetchData;
    snapBegin @21 :SnapBegin;
    snapChunk @22 :SnapChunk;
    snapAck @23 :SnapAck;
    handover @24 :Handover;
    refuse @25 :UInt64;         # the token
    resign @26 :Void;
    repairRequest @27 :UInt64;  # the nonce
    repairGoal @28 :RepairGoal;
    proposalVote @29 :ProposalVote;
  }
}

struct Position {  # the record at `index`, made in the office of `epoch`
  epoch @0 :UInt64;
  index @1 :UInt64;
}

struct Rank {
  log @0 :Position;
  priority @1 :Int32;  # -1: unfit
  seat @2 :UInt8;      # place in the list of members
}

struct Election {
  round @0 :UInt64;
  rank @1 :Rank;
  claim @2 :Position;
  insist @3 :Bool;
}

struct Answer {
  round @0 :UInt64;
  rank @1 :Rank;
}

struct Nay {
  round @0 :UInt64;
  why @1 :Why;
  rank @2 :Rank;
  leader @3 :UInt8 = 255;  # 255: nobody
  enum Why { leaderAlive @0; stale @1; unfit @2; }
}

struct VoteRequest {
  log @0 :Position;
  candidacy @1 :UInt64;
  token @2 :UInt64;
}

struct Vote {
  candidacy @0 :UInt64;
  granted @1 :Bool;
  log @2 :Position;
}

struct Beat {
  commit @0 :UInt64;
  readRound @1 :UInt64;
  sent @2 :Int64;   # nanoseconds of the leader's own clock; comes back in the answer
  last @3 :Position;
  state @4 :StateDigest;  # the leader's, after a record that followers have applied, or will
  stateCounts @5 :Bool;   # no majority can have another one: whoever has is wrong
}

struct BeatAck {
  readRound @0 :UInt64;
  sent @1 :Int64;
  durable @2 :UInt64;
  priority @3 :Int32;
  state @4 :StateDigest;  # the own one after the record that BEAT named
  wantsState @5 :Bool;    # the own state is wrong: send a snapshot
}

struct StateDigest {      # of the tasks' state after the record `index`; 0: there is none to compare
  index @0 :UInt64;
  low @1 :UInt64;
  high @2 :UInt64;
}

struct Append {  # batches follow as frames
  prev @0 :Position;
  commit @1 :UInt64;
}

struct AppendAck {
  ok @0 :Bool;
  diskFull @1 :Bool;
  prev @2 :UInt64;
  match @3 :UInt64;
  durable @4 :UInt64;
  hint @5 :Position;
  provisional @6 :Bool;
}

struct BatchIdentity {
  first @0 :UInt64;
  last @1 :Position;
  crc @2 :UInt32;
}

struct Fetch {
  after @0 :Position;
  holes @1 :List(BatchIdentity);
  round @2 :UInt64;
}

struct FetchData {  # batches follow as frames
  prev @0 :Position;
  last @1 :Position;
  ofHoles @2 :Bool;
  freed @3 :Bool;
  round @4 :UInt64;
  damaged @5 :Bool;
}

struct SnapBegin {
  last @0 :Position;
  size @1 :UInt64;
  hash @2 :Data;  # 32 bytes: the SHA-256 in its footer
}

struct SnapChunk {  # its bytes follow as a frame
  last @0 :Position;
  offset @1 :UInt64;
}

struct SnapAck {
  last @0 :Position;
  next @1 :UInt64;
  installed @2 :Bool;
  refused @3 :Bool;
}

struct Handover {
  last @0 :Position;
  token @1 :UInt64;
}

struct RepairGoal {
  nonce @0 :UInt64;
  goal @1 :UInt64;
}

struct ProposalVote {  # of a standby, on a proposal that it found in the journal
  proposal @0 :UInt64;
  yes @1 :Bool;
  reason @2 :Text;
}
