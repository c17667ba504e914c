// Proposals, asked for and shown: shared by the commands that make, vote on and list them.
//
// Thread rule: the command's thread. Limits: none.
#pragma once

#include <functional>
#include <string>

#include "client/command/context.h"
#include "shared/base/result.h"
#include "shared/node/config_keys.h"

namespace CLI {
class App;
}

namespace cidbus {

struct NewProposal {
  ProposalKind kind = ProposalKind::ConfigChange;
  std::string subject;
  std::string value;
  std::string deadline;  // as typed; empty for the brokers' own
  bool wait = false;     // until it is decided
};

// --deadline and --wait.
void add_proposal_options(CLI::App& app, std::string& deadline, bool& wait);

// Makes the proposal and shows it: 0, or 1 when it was waited for and not accepted.
Result<int> propose(Context& context, const NewProposal& wanted);
// Calls `take` with each, newest first, open ones alone or all; views live during the call.
Status for_each_proposal(Context& context, bool only_open, const std::function<void(const Proposal&)>& take);

// As one answer: an object, or a line of a table.
void print_proposal(Output& output, const Proposal& proposal);
// 0: those that are open.
Result<int> show_proposals(Context& context, std::uint64_t id);
Result<int> show_history(Context& context);

}  // namespace cidbus
