# Tasks: what is asked of the cluster and what comes back.
#
# Two parts of a task travel as bytes that brokers carry but do not read: `work` (a Work below, made by the client, read by
# the worker) and `result` (a TaskResult, made by the worker, read by the client). Both are Cap'n Proto messages in the
# standard stream framing. They are also what the journal keeps, so a field here is kept for ever: add, never change.

@0xd1a3c5b90fe86a17;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("cidbus::schema");

enum TaskState {  # the first three are open, the others final
  pending @0;     # waits for its time or for a worker
  assigned @1;    # sent to a worker
  processing @2;  # the worker has said that it is at it
  completed @3;
  failed @4;      # out of tries, or no further try makes sense
  cancelled @5;
  timeout @6;     # its deadline passed
}

enum Outcome {  # of one attempt
  completed @0;
  failed @1;      # the same input fails again
  retry @2;       # may succeed elsewhere or later
  timedOut @3;    # the attempt's time limit
  cancelled @4;   # it was revoked
  handedBack @5;  # the worker goes; costs no try
}

struct Attempt {  # one try at one run of one task; with the epoch, a fencing token
  task @0 :UInt64;     # index of the task's SUBMIT record in the journal
  run @1 :UInt8;       # 0 for a plain task
  attempt @2 :UInt32;  # from 1
  epoch @3 :UInt64;    # of the leader that handed it out
}

struct TaskOptions {  # what brokers read of a submission; 0 means: none
  priority @0 :UInt8 = 5;        # 0 to 9, 9 first
  tries @1 :UInt8 = 4;           # attempts in all
  delayMs @2 :UInt64;            # after acceptance
  deadlineMs @3 :UInt64;         # after acceptance
  timeLimitMs @4 :UInt64;        # of one attempt
  backoffMs @5 :UInt64 = 1000;   # before the first retry, doubling
  key @6 :Text;                  # idempotency key
}

struct Pair {
  name @0 :Text;
  value @1 :Text;
}

struct Work {
  inputs @0 :List(Data);      # CIDs: binary, or the text that the user gave
  parameters @1 :List(Pair);  # in the user's order
  traceparent @2 :Text;       # W3C Trace Context, version 00; empty for none
}

struct TaskResult {
  cids @0 :List(Data);   # binary
  values @1 :List(Pair);
}

struct TaskInfo {  # everything that can be told of a task; times in milliseconds since 1970 UTC, 0 for not yet
  task @0 :UInt64;
  type @1 :Text;
  state @2 :TaskState;
  attempts @3 :UInt32;
  priority @4 :UInt8;
  work @5 :Data;
  result @6 :Data;
  error @7 :Text;
  submittedAt @8 :Int64;
  startedAt @9 :Int64;
  finishedAt @10 :Int64;
  worker @11 :Text;  # of the last attempt
  key @12 :Text;
  history @13 :Data;  # of its attempts, where asked for: shared/core/attempt_history.h
}
