// The broker of a program: alone in its group, on this machine.
//
// Thread rule: the owner's thread. Limits: none.
#pragma once

#include <memory>
#include <string>

#include "shared/base/result.h"
#include "shared/io/process.h"

namespace cidbus {

struct HostedBroker {
  std::unique_ptr<RunningRole> role;
  std::string address;  // HOST:PORT of its bus
};

// At `address`, or, where that is empty, at 127.0.0.1:9096 or the next ports that are free. Faults: those of
// BrokerServer::open().
Result<HostedBroker> open_hosted_broker(const std::string& cluster, const std::string& name,
                                        const std::string& data, const std::string& address);
// In order, and waits for it.
Status stop_role(RunningRole& role);

// Where a program's node keeps its data when it does not say: CLUSTER/NODE below
// $XDG_STATE_HOME/cidbus/library or ~/.local/state/cidbus/library (XDG Base Directory Specification).
// BadUsage when there is no HOME.
Result<std::string> usual_data_folder(const std::string& cluster, const std::string& node);

}  // namespace cidbus
