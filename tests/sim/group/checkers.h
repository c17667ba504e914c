// The truths that hold of the whole group after every step, one a file (CONSENSUS section 13).
#pragma once

#include "tests/sim/group/checkers/acknowledged.h"
#include "tests/sim/group/checkers/committed.h"
#include "tests/sim/group/checkers/held_by_majority.h"
#include "tests/sim/group/checkers/log_matching.h"
#include "tests/sim/group/checkers/monotone.h"
#include "tests/sim/group/checkers/one_leader.h"
#include "tests/sim/group/checkers/votes.h"

namespace cidbus::group_sim {

struct Checkers {
  OneLeader one_leader;
  LogMatching log_matching;
  Committed committed;
  Monotone monotone;
  Votes votes;
  Acknowledged acknowledged;
};

}  // namespace cidbus::group_sim
