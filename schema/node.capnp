# Nodes: who is there, in which role, and what each counts of itself.

@0xb7f2e4d61c93a058;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("cidbus::schema");

enum Role { master @0; worker @1; leecher @2; gateway @3; observer @4; client @5; }

enum MemberState {
  joining @0;  # said hello, not yet heard again
  alive @1;
  suspect @2;  # silent for half its timeout
  left @3;     # said goodbye
  dead @4;     # silent for its timeout
}

struct NodeLoad {
  slots @0 :UInt32;
  busy @1 :UInt32;
  blocks @2 :UInt64;
  blockBytes @3 :UInt64;
  diskFreeBytes @4 :UInt64;
  residentBytes @5 :UInt64;
  configVersion @6 :UInt64;  # of the configuration it has applied
}

struct Member {
  name @0 :Text;
  role @1 :Role;
  state @2 :MemberState;
  incarnation @3 :UInt64;  # random at each start of its process
  exchange @4 :Text;       # host:port of its block exchange; empty when it stores none
  load @5 :NodeLoad;
  joinedAt @6 :Int64;      # milliseconds since 1970 UTC
  lastSeen @7 :Int64;
  labels @8 :List(Label);
}

struct Label {             # what its owner says of where a node is
  key @0 :Text;
  value @1 :Text;
}

struct MemberChange {
  number @0 :UInt64;       # counts from 1 in each office
  at @1 :Int64;            # milliseconds since 1970 UTC
  name @2 :Text;
  role @3 :Role;
  incarnation @4 :UInt64;
  from @5 :MemberState;    # left, also of a name that is new
  to @6 :MemberState;
}

struct Move {              # what a node moved, or had moved, of itself
  at @0 :Int64;            # milliseconds since 1970 UTC
  what @1 :Text;           # role, slots, ...
  from @2 :Text;
  to @3 :Text;
  reason @4 :Text;
}

struct MovedSetting {      # a number that a node moves by itself, as people write it
  what @0 :Text;
  now @1 :Text;            # by the word of what lives by it
  given @2 :Text;
}

struct RoleChance {
  role @0 :Role;
  possible @1 :Bool;
  permille @2 :UInt32;     # its score
  limit @3 :Text;          # what limits it
}

struct NodeAddress {
  name @0 :Text;
  endpoint @1 :Text;  # host:port
}

struct BrokerInfo {
  name @0 :Text;
  endpoint @1 :Text;
  leader @2 :Bool;
  epoch @3 :UInt64;
  last @4 :UInt64;     # journal index of the newest record it holds
  durable @5 :UInt64;  # synced up to here
  commit @6 :UInt64;
  applied @7 :UInt64;
}
