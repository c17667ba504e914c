// What a broker says on its bus and its feed: every message behind this broker's header, of the epoch it is
// in.
//
// Thread rule: the driver's. Limits: none of its own.
#pragma once

#include <string>
#include <string_view>

#include "broker/broker_metrics.h"
#include "broker/broker_ports.h"
#include "shared/core/message.h"
#include "shared/io/log.h"
#include "shared/wire/codec.h"

namespace cidbus {

class Voice {
 public:
  Voice(std::string_view cluster, std::string_view name, Incarnation incarnation, BrokerPorts& ports,
        BrokerMetrics& metrics, Log& log)
      : header_{protocol_version, cluster_id(cluster), {}, name, incarnation},
        ports_(ports),
        metrics_(metrics),
        log_(log) {}

  void set_epoch(Epoch epoch) { header_.epoch = epoch; }
  // Valid until the next call of any of these.
  ByteView encode(const Message& message) { return encoder_.encode(header_, message); }
  SendAnswer send(std::string_view routing_id, const Message& message) {
    return ports_.send(routing_id, encode(message));
  }
  // Counts it, too. `reason` is for a person.
  void refuse(ByteView routing_id, Refusal why, std::string_view reason);
  void publish(const Feed& message) { ports_.publish(message.topic, encode(message)); }

 private:
  Header header_;
  BrokerPorts& ports_;
  BrokerMetrics& metrics_;
  Log& log_;
  Encoder encoder_;
};

}  // namespace cidbus
