// The broker of a program, alone or one of a group; and what all of a program's nodes are given alike.
//
// Thread rule: the owner's thread. Limits: none.
#pragma once

#include <memory>
#include <string>

#include "shared/base/result.h"
#include "shared/io/node_options.h"
#include "shared/io/process.h"

namespace cidbus {

struct HostedBroker {
  std::unique_ptr<RunningRole> role;
  std::string address;  // HOST:PORT of its bus
};

struct HostedBrokerOptions {
  std::string cluster;
  std::string name;
  std::string data;
  std::string address;  // empty: as `group` says; without one, 127.0.0.1:9096 or the next ports that are free
  std::string group;    // as of --group; empty: it is alone
  KeyOptions keys;
};
// Faults: those of the options, and of BrokerServer::open().
Result<HostedBroker> open_hosted_broker(const HostedBrokerOptions& options);
// In order, and waits for it.
Status stop_role(RunningRole& role);

// As given, else as CIDBUS_KEY_FILE and CIDBUS_ALLOW_FILE say.
KeyOptions keys_of(const std::string& key_file, const std::string& allow_file);

// Where a program's node keeps its data when it does not say: CLUSTER/NODE below
// $XDG_STATE_HOME/cidbus/library or ~/.local/state/cidbus/library (XDG Base Directory Specification).
// BadUsage when there is no HOME.
Result<std::string> usual_data_folder(const std::string& cluster, const std::string& node);

}  // namespace cidbus
