#include "tests/sim/rubbish_sender.h"

#include "shared/io/bus_link.h"

namespace cidbus::sim {

void RubbishSender::send() {
  ++sent_;
  const NodeIdentity stranger{"sim", "stranger", Role::Client, {1}};
  Header header{protocol_version, cluster_id("sim"), {}, stranger.name, stranger.incarnation};
  Bytes frame;
  switch (prng_.below(5)) {
    case 0:
      frame.resize(prng_.below(300));
      for (auto& byte : frame) byte = static_cast<std::uint8_t>(prng_());
      break;
    case 1:
      header.version = static_cast<std::uint16_t>(prng_.between(2, 9));
      frame = to_bytes(encoder_.encode(header, Hello{}));
      break;
    case 2:
      header.cluster = cluster_id("another");
      frame = to_bytes(encoder_.encode(header, Hello{}));
      break;
    case 3:
      frame = to_bytes(network_.last_to_broker());
      frame.resize(prng_.below(frame.size() + 1));
      break;
    default:
      frame = to_bytes(network_.last_to_broker());  // whole, but not the stranger's to say
  }
  network_.inject(prng_.below(brokers_), routing_id(stranger), frame);
}

}  // namespace cidbus::sim
