// What every command is given once its line is understood: the common options, the output, and the bus.
//
// Thread rule: the command's thread. Limits: none.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/command/environment.h"
#include "client/command/output.h"
#include "shared/io/bus_asker.h"
#include "shared/io/socket.h"
#include "shared/io/trust.h"

namespace cidbus {

struct CommonOptions {
  std::vector<std::string> brokers;  // HOST:PORT
  std::string cluster;
  Format format = Format::Table;
  std::optional<std::chrono::milliseconds> timeout;
  std::vector<std::string> config_files;  // that were looked at
  std::optional<Fault> settings_fault;    // why what they or the environment say was not taken
  Trust trust;                            // keys that cannot be used are its fault, told by what connects
};

class Context {
 public:
  Context(Environment& environment, CommonOptions common);

  Environment& environment() { return environment_; }
  const CommonOptions& common() const { return common_; }
  Output& output() { return output_; }
  SocketContext& sockets() { return sockets_; }
  // Another one for each connection: brokers tell connections apart by it.
  [[nodiscard]] NodeIdentity new_identity() const { return client_identity(common_.cluster); }

  // TRACEPARENT, by which who started the command says what trace this is part of; empty where it is none.
  [[nodiscard]] std::string traceparent() const;

  // When --timeout ends, counted from the command's start; without one, `otherwise` from now.
  [[nodiscard]] Monotonic deadline(Duration otherwise) const;
  // When --timeout ends, or never.
  [[nodiscard]] Monotonic deadline() const;
  // For a Client: as long as it takes, or --timeout.
  [[nodiscard]] Client::Patience patience() const;

  // Asks the leader; `take` says whether a message is the answer. By --timeout or within some seconds.
  Status ask(const Message& question, const std::function<bool(const Message&)>& take);
  // For an answer that may take as long as it takes, as long as there is a broker.
  Status ask_patiently(const Message& question, const std::function<bool(const Message&)>& take);
  // For what is worth a moment when the time is up.
  Status ask_at_once(const Message& question, const std::function<bool(const Message&)>& take);
  // Asks every broker for its status, BusAsker::ask_brokers(); for limits::status_answer_time at most.
  Status ask_brokers(const std::function<bool(const BrokerStatus&)>& take);
  RequestId next_request() { return bus().next_request(); }

  // An error line; the command goes on.
  void complain(std::string_view message) { report(environment_, message); }
  // 128 + the signal's number once there was one; 0 before.
  [[nodiscard]] int interrupted() const;

 private:
  BusAsker& bus();
  Status ask_until(Monotonic deadline, const Message& question,
                   const std::function<bool(const Message&)>& take);

  Environment& environment_;
  const CommonOptions common_;
  const Monotonic started_;
  Output output_;
  SocketContext sockets_;
  std::unique_ptr<BusAsker> bus_;
};

}  // namespace cidbus
