// The broker role: the driver with real sockets, a real disk and a thread of its own around it.
//
// A broker at HOST:P has its bus at P, the feed out at P+1 and the feed in at P+2 (DESIGN section 11).
//
// Thread rule: RoleThread; the disk has a thread of its own. Limits: 256 messages read a socket and turn.
#pragma once

#include <memory>
#include <string>

#include "broker/broker.h"
#include "shared/io/role_thread.h"

namespace cidbus {

struct BrokerServerOptions {
  std::string cluster;
  std::string name;
  std::string listen;    // HOST:PORT it binds
  std::string endpoint;  // HOST:PORT as others reach it
  std::string data;      // folder of journal, vote file and snapshots; made when it is not there
  Durability durability = Durability::Disk;
};

class BrokerServer : public RoleThread {
 public:
  BrokerServer(SocketContext& context, BrokerServerOptions options, Log& log);
  ~BrokerServer() override;
  // Opens the data folder, replays the journal, opens the sockets, takes office. BadData for a damaged
  // journal, naming the place; TryAgain when another process has the folder or the disk is full.
  Status open();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
