// The truths that hold of the whole group after every step, one a file (CONSENSUS section 13).
#pragma once

#include "tests/sim/base/checkers/acknowledged.h"
#include "tests/sim/base/checkers/bully_order.h"
#include "tests/sim/base/checkers/committed.h"
#include "tests/sim/base/checkers/equal_states.h"
#include "tests/sim/base/checkers/held_by_majority.h"
#include "tests/sim/base/checkers/log_matching.h"
#include "tests/sim/base/checkers/monotone.h"
#include "tests/sim/base/checkers/one_leader.h"
#include "tests/sim/base/checkers/votes.h"

namespace cidbus::sim {

struct Checkers {
  OneLeader one_leader;
  LogMatching log_matching;
  Committed committed;
  EqualStates equal_states;
  Monotone monotone;
  Votes votes;
  BullyOrder bully_order;
  Acknowledged acknowledged;
};

}  // namespace cidbus::sim
