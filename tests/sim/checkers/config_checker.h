// The checker of configuration by vote, read from the committed records alone: votes are counted here once
// more, and every node that is told what is in force is held to it.
//
// Invariants it checks
//  1. What is accepted has the votes of a majority of those that had one when it was proposed, one each; what
//     is rejected can have none any more; what is expired was decided after its deadline.
//  2. Every node is told the same sequence: version N means the same values to all, and no node goes back.
//  3. Nothing is told that is not committed.
//
// With durability `memory` what is committed is not seen as it happens, and 2 and 3 are not checked.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/cluster/config_records.h"
#include "broker/journal/batch.h"
#include "shared/core/config_messages.h"

namespace cidbus::sim {

class ConfigChecker {
 public:
  explicit ConfigChecker(bool sees_commits) : sees_commits_(sees_commits) {}

  // A record that is committed, the next one.
  void on_record(const RecordView& record);
  void on_told(const std::string& node, const Configuration& configuration);
  // How many changes were accepted so far.
  [[nodiscard]] std::uint64_t version() const { return versions_.size() - 1; }

 private:
  using Values = std::map<std::string, std::int64_t>;
  struct Open {
    std::uint64_t token = 0;
    std::string key;
    std::int64_t value = 0;
    WallTime deadline;
    std::set<std::string> voters;
    std::map<std::string, bool> cast;
  };
  void on_propose(const ProposeRecord& record, WallTime time);
  void on_vote(const VoteRecord& record);
  void on_decide(const DecideRecord& record, WallTime time);

  bool sees_commits_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Open> open_;
  std::set<std::uint64_t> tokens_;
  std::vector<Values> versions_{1};
  std::map<std::string, std::uint64_t> told_;  // newest version, by node
};

}  // namespace cidbus::sim
