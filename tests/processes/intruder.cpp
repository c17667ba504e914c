// Sends a node what it must not believe, and prints what comes back: for tests/processes/intruders_test.py.
//
//   intruder ADDRESS CLUSTER KIND COUNT SEED [bus|feed-out|feed-in]
//
// The last word says what socket stands at ADDRESS: a ROUTER (when left out), an XPUB or an XSUB. KIND is one
// of
//
//   rubbish        messages of random frames
//
//   damaged        true messages of the true cluster (hellos, heartbeats), cut short or with bits turned over
//
//   oversize       frames of a word more than limits::message_bytes
//
//   huge           frames of a byte more than limits::socket_frame_bytes
//
//   wrong-cluster  true hellos of another cluster
//
//   wrong-version  true hellos of a later protocol
//
//   name-taken     true hellos of a worker w1, under an incarnation of our own
//
// stdout: "refused REASON: text" for each refusal heard, "cut" for each time the connection was taken away,
// and at last "sent N". An answer is waited for where the kind promises one, for 10 s at most.
#include <zmq.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/limits/messages.h"
#include "shared/base/prng.h"
#include "shared/io/bus_link.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int answer_patience_milliseconds = 10'000;
constexpr int send_patience_milliseconds = 100;

struct Plan {
  std::string address;
  std::string cluster;
  std::string kind;
  std::uint64_t count = 0;
  std::uint64_t seed = 0;
  SocketKind socket = SocketKind::Dealer;
};

class Intruder {
 public:
  explicit Intruder(Plan plan)
      : plan_(std::move(plan)),
        chance_(plan_.seed),
        identity_({plan_.cluster, plan_.kind == "name-taken" ? "w1" : "intruder", Role::Worker, {chance_()}}),
        socket_(context_, plan_.socket, {.routing_id = routing_id(identity_), .immediate = false}),
        monitor_(socket_.monitor()) {}

  int run() {
    if (const Status connected = socket_.connect(plan_.address); !connected) {
      std::fprintf(stderr, "%s\n", connected.error().message.c_str());
      return 1;
    }
    // A PUB socket throws away what is sent before somebody has subscribed.
    if (plan_.socket == SocketKind::XPub) wait(answer_patience_milliseconds);
    const bool answered = plan_.kind != "rubbish" && plan_.kind != "damaged" && plan_.kind != "huge";
    for (std::uint64_t number = 0; number < plan_.count; ++number) {
      send_one();
      if (answered) {
        wait(answer_patience_milliseconds);
      } else if (plan_.kind == "huge") {
        wait_for_cut();
      }
      listen();
    }
    std::printf("sent %llu\n", static_cast<unsigned long long>(plan_.count));
    return 0;
  }

 private:
  void send_one() {
    if (plan_.kind == "rubbish") return send_rubbish();
    if (plan_.kind == "oversize") return send({Bytes(limits::message_bytes + 8, 0x5a)});
    if (plan_.kind == "huge") return send({Bytes(limits::socket_frame_bytes + 1, 0x5a)});
    Header header;
    header.cluster = cluster_id(plan_.cluster);
    header.sender = identity_.name;
    header.incarnation = identity_.incarnation;
    if (plan_.kind == "wrong-cluster") header.cluster = cluster_id(plan_.cluster + "-other");
    if (plan_.kind == "wrong-version") header.version = protocol_version + 1;
    Bytes frame = to_bytes(encoder_.encode(header, body()));
    if (plan_.kind == "damaged") damage(frame);
    if (plan_.socket == SocketKind::XPub)
      send({to_bytes(as_bytes(to_text(FeedTopic::Heartbeats))), frame});
    else
      send({frame});
  }

  Message body() {
    if (plan_.socket == SocketKind::XPub) {
      HeartbeatEvent heartbeat;
      heartbeat.name = identity_.name;
      heartbeat.role = identity_.role;
      heartbeat.incarnation = identity_.incarnation;
      Feed feed;
      feed.number = ++feed_number_;
      feed.events = {heartbeat};
      return feed;
    }
    Hello hello;
    hello.role = Role::Worker;
    hello.load.slots = 4;
    hello.task_types = {"echo"};
    return hello;
  }

  void send_rubbish() {
    // To an XPUB a subscription is one frame; libzmq's own XSUB, ours, overflows its stack on one of a
    // megabyte.
    const bool subscribes = plan_.socket == SocketKind::XSub;
    std::vector<Bytes> frames(subscribes ? 1 : chance_.between(1, 4));
    for (Bytes& frame : frames) {
      frame.resize(chance_.below(!subscribes && chance_.chance(1, 50) ? 1 << 20 : 2048));
      for (std::uint8_t& byte : frame) byte = static_cast<std::uint8_t>(chance_());
    }
    send(frames);
  }

  void damage(Bytes& frame) {
    if (chance_.chance(1, 3)) frame.resize(chance_.below(frame.size()));
    for (std::uint64_t flips = chance_.below(16); flips > 0 && !frame.empty(); --flips) {
      frame[chance_.below(frame.size())] ^= static_cast<std::uint8_t>(1U << chance_.below(8));
    }
  }

  // Through libzmq itself: a message of any number of frames, which the project's own socket would not send.
  void send(const std::vector<Bytes>& frames) {
    zmq_pollitem_t ready{socket_.handle(), 0, ZMQ_POLLOUT, 0};
    zmq_poll(&ready, 1, send_patience_milliseconds);
    for (std::size_t place = 0; place < frames.size(); ++place) {
      const int more = place + 1 < frames.size() ? ZMQ_SNDMORE : 0;
      if (zmq_send(socket_.handle(), frames[place].data(), frames[place].size(), ZMQ_DONTWAIT | more) < 0)
        return;
    }
  }

  void wait(int milliseconds) {
    zmq_pollitem_t ready{socket_.handle(), 0, ZMQ_POLLIN, 0};
    zmq_poll(&ready, 1, milliseconds);
  }
  void wait_for_cut() {
    const std::uint64_t before = cuts_;
    for (int tries = 0; tries < 100 && cuts_ == before; ++tries) {
      zmq_pollitem_t ready{monitor_, 0, ZMQ_POLLIN, 0};
      zmq_poll(&ready, 1, answer_patience_milliseconds / 100);
      listen();
    }
  }

  void listen() {
    while (const auto event = socket_.next_event()) {
      if (*event != ConnectionEvent::Disconnected) continue;
      ++cuts_;
      std::puts("cut");
    }
    Frames frames;
    while (socket_.receive(frames)) {
      if (plan_.socket != SocketKind::Dealer) continue;
      const auto envelope = decoder_.decode(frames[0]);
      if (!envelope) continue;
      if (const Refused* refused = std::get_if<Refused>(&envelope->message)) {
        std::printf("refused %.*s: %.*s\n", static_cast<int>(to_text(refused->why).size()),
                    to_text(refused->why).data(), static_cast<int>(refused->reason.size()),
                    refused->reason.data());
      }
    }
  }

  Plan plan_;
  Prng chance_;
  NodeIdentity identity_;
  SocketContext context_;
  Socket socket_;
  void* monitor_;
  Encoder encoder_;
  Decoder decoder_;
  std::uint64_t cuts_ = 0;
  std::uint64_t feed_number_ = 0;
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<SocketKind> socket_against(std::string_view name) {
  if (name == "bus") return SocketKind::Dealer;
  if (name == "feed-out") return SocketKind::XSub;
  if (name == "feed-in") return SocketKind::XPub;
  return std::nullopt;
}

}  // namespace
}  // namespace cidbus

int main(int argc, char** argv) {
  const bool complete = argc == 6 || argc == 7;
  const auto count = complete ? cidbus::parse_number(argv[4]) : std::nullopt;
  const auto seed = complete ? cidbus::parse_number(argv[5]) : std::nullopt;
  const auto socket = cidbus::socket_against(argc == 7 ? argv[6] : "bus");
  if (!count || !seed || !socket) {
    std::fputs("usage: intruder ADDRESS CLUSTER KIND COUNT SEED [bus|feed-out|feed-in]\n", stderr);
    return 2;
  }
  return cidbus::Intruder({argv[1], argv[2], argv[3], *count, *seed, *socket}).run();
}
