// The broker role: the driver with real sockets, a real disk and a thread of its own around it.
//
// A broker at HOST:P has its bus at P, the feed out at P+1 and the feed in at P+2, and in a group of several
// the other brokers at P+3 and P+4, and HTTP at P+5 (DESIGN section 11).
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
  group::GroupConfig group;  // says who this broker is, and where others reach it
  std::string listen;        // HOST:PORT it binds
  std::string data;          // folder of journal, vote file and snapshots; made when it is not there
  bool votes_by_hand = false;
  std::string http;  // HOST:PORT of /metrics, /livez and /readyz; empty: nowhere
};

class BrokerServer : public RoleThread {
 public:
  BrokerServer(SocketContext& context, BrokerServerOptions options, Log& log);
  ~BrokerServer() override;
  // Opens the data folder, replays the journal, opens the sockets; alone it takes office. BadData for a
  // damaged journal, naming the place; TryAgain when another process has the folder or the disk is full.
  Status open();
  // HOST:PORT of HTTP. REQUIRES: open() succeeded, and the options name one.
  [[nodiscard]] const std::string& http_address() const;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
