// The node: it hosts its roles on a stage, measures its machine, and changes its role: when it is told to by
// its agent, or by itself when what it measures has asked for it for long enough (shared/node/role_switch.h),
// if it may.
//
// By itself it changes only with the leader's leave, which alone sees what others do at the same moment: two
// workers that each go because the other one stays would leave none. Nobody leads: it stays what it is. A
// broker never leaves its role by itself, since its copy of the journal is part of a majority. A role that it
// was told is kept: from then on it does not change by itself. A node of several roles has no agent, and
// keeps them.
//
// Thread rule: RoleThread. Limits: Stage's, RoleSwitch's, Agent's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/agent.h"
#include "node/identity.h"
#include "node/stage.h"
#include "shared/io/log.h"
#include "shared/io/role_thread.h"
#include "shared/node/role_switch.h"

namespace cidbus {

struct NodeServerOptions {
  std::vector<Role> roles;
  bool may_switch = false;  // by itself. REQUIRES: one role
  bool broker_wanted = false;
  RoleProfiles profiles;
  Agent::Place place;
  std::string folder;  // of what it keeps
  ToldRole told;       // as it was kept
  std::function<Result<std::unique_ptr<RunningRole>>(Role role)> open;
  std::function<Machine()> measure;
  std::function<Status(const ToldRole& told)> keep;
};

class NodeServer : public RoleThread {
 public:
  // REQUIRES: context and log outlive it.
  NodeServer(SocketContext& context, NodeServerOptions options, Log& log);
  ~NodeServer() override;
  // The fault of the first role that does not open.
  Status open();

  void stop_now() override;
  void change_log_level(int steps_louder) override;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
