// All that is held against a simulated cluster while it runs: the group's invariants, what is committed, and
// what of it was told to whom.
//
// Thread rule: one thread. Limits: those of its members.
#pragma once

#include "shared/core/client_messages.h"
#include "tests/sim/base/checkers.h"
#include "tests/sim/checkers/config_checker.h"
#include "tests/sim/checkers/fencing.h"
#include "tests/sim/checkers/journal_checker.h"
#include "tests/sim/checkers/strict_checker.h"
#include "tests/sim/checkers/told_after_commit.h"
#include "tests/sim/committed_records.h"

namespace cidbus::sim {

struct Truths {
  explicit Truths(Durability durability)
      : records(group,
                [this](const RecordView& record) {
                  journal.on_record(record);
                  config.on_record(record);
                }),
        told(durability == Durability::Memory ? nullptr : &journal),
        strict(durability == Durability::Memory ? nullptr : &journal),
        config(durability != Durability::Memory) {}
  Truths(const Truths&) = delete;
  Truths& operator=(const Truths&) = delete;

  Checkers group;
  JournalChecker journal;
  CommittedRecords records;
  ToldAfterCommit told;
  StrictChecker strict;
  ConfigChecker config;
};

}  // namespace cidbus::sim
