// The node: it hosts its roles on a stage, measures its machine, and changes its role when that has asked for
// it for long enough (shared/node/role_switch.h), if it may.
//
// A broker never leaves its role by itself, since its copy of the journal is part of a majority; and a worker
// not while no other node stores blocks.
//
// Thread rule: RoleThread. Limits: Stage's, RoleSwitch's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/stage.h"
#include "shared/io/log.h"
#include "shared/io/role_thread.h"
#include "shared/node/role_switch.h"

namespace cidbus {

struct NodeServerOptions {
  std::vector<Role> roles;
  bool may_switch = false;  // REQUIRES: one role
  bool broker_wanted = false;
  RoleProfiles profiles;
  std::function<Result<std::unique_ptr<RunningRole>>(Role role)> open;
  std::function<Machine()> measure;
};

class NodeServer : public RoleThread {
 public:
  // REQUIRES: the log outlives it.
  NodeServer(NodeServerOptions options, Log& log);
  ~NodeServer() override;
  // The fault of the first role that does not open.
  Status open();

  void stop_now() override;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
