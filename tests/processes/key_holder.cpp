// Comes to a node's socket with a key, or with none, and says one thing: for tests/processes/keys_test.py.
//
//   key_holder ADDRESS CLUSTER NAME ROLE SAYS [KEY-FILE ALLOW-FILE SERVER]
//
// NAME and ROLE are what it claims, whatever its key is for; SERVER is the name whose key it takes the other
// end to have. SAYS is one of
//
//   hello, submit, complete   to a broker's bus: a hello, and after it the message named
//
//   want                      to a block exchange: a block, please
//
//   heartbeat                 to a broker's feed in
//
//   listen                    to a broker's feed out
//
// stdout: "connected", "not admitted", "broken off" or "other trust", one line each time, until it is
// connected or has tried 20 times; then "heard NAME" with the name of the answer, and for a refusal ":
// REASON".
#include <poll.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int attempts = 20;
constexpr Duration patience = std::chrono::seconds(10);

struct Plan {
  std::string address, cluster, name, role, says, key_file, allow_file, server;
};

void pause() { ::poll(nullptr, 0, 10); }

class KeyHolderProgram {
 public:
  KeyHolderProgram(Plan plan, Trust trust) : plan_(std::move(plan)), context_(std::move(trust)) {
    identity_ = {plan_.cluster, plan_.name, parse_role(plan_.role).value_or(Role::Client), {0x1234}};
  }

  int run() {
    std::string key;
    if (context_.keys() != nullptr) {
      for (const KeyHolder& holder : context_.keys()->named(plan_.server)) key = holder.key;
    }
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (!connect(key)) continue;
      speak();
      return 0;
    }
    return 0;
  }

 private:
  SocketKind kind() const {
    if (plan_.says == "listen") return SocketKind::Sub;
    return plan_.says == "heartbeat" ? SocketKind::Pub : SocketKind::Dealer;
  }

  bool connect(const std::string& key) {
    socket_.emplace(context_, kind(), Socket::Options{.routing_id = routing_id(identity_)});
    socket_->monitor();
    if (plan_.says == "listen") socket_->subscribe("");
    if (const Status status = socket_->connect(plan_.address, key); !status) {
      std::printf("%s\n", status.error().message.c_str());
      return false;
    }
    const Monotonic until = read_clock().monotonic + patience;
    while (read_clock().monotonic < until) {
      const auto event = socket_->next_event();
      if (!event) {
        pause();
        continue;
      }
      const bool connected = *event == ConnectionEvent::Connected;
      std::puts(connected                                ? "connected"
                : *event == ConnectionEvent::NotAdmitted ? "not admitted"
                : *event == ConnectionEvent::OtherTrust  ? "other trust"
                                                         : "broken off");
      return connected;
    }
    return false;
  }

  void send(const Message& message, std::string_view topic = {}) {
    Header header;
    header.cluster = cluster_id(plan_.cluster);
    header.sender = identity_.name;
    header.incarnation = identity_.incarnation;
    const ByteView frame = encoder_.encode(header, message);
    if (topic.empty())
      socket_->send({frame});
    else
      socket_->send({as_bytes(topic), frame});
  }

  void speak() {
    if (plan_.says == "want") {
      const Bytes cid{0x01, 0x55, 0x00, 0x01, 0x61};  // "a", by identity
      WantBlocks want{{1}, {}};
      want.cids.emplace_back(cid);
      send(want);
    } else if (plan_.says == "heartbeat") {
      beat();
      return;
    } else if (plan_.says != "listen") {
      Hello hello;
      hello.role = identity_.role;
      send(hello);
    }
    hear();
    if (plan_.says == "submit" || plan_.says == "complete") {
      if (plan_.says == "submit")
        send(Cancel{{1}, {}});  // may be said by whoever may submit
      else
        send(Complete{});
      hear();
    }
  }

  // A PUB throws away what is sent before the other end has subscribed.
  void beat() {
    for (std::uint64_t number = 1; number <= 50; ++number) {
      Feed feed;
      feed.number = number;
      feed.events.emplace_back(HeartbeatEvent{identity_.name, identity_.role, identity_.incarnation, {}});
      send(feed, to_text(FeedTopic::Heartbeats));
      pause();
    }
  }

  void hear() {
    Frames frames;
    const Monotonic until = read_clock().monotonic + patience;
    while (!socket_->receive(frames)) {
      if (read_clock().monotonic >= until) {
        std::puts("heard nothing");
        return;
      }
      pause();
    }
    const auto envelope = decoder_.decode(frames[frames.size() == 2 && plan_.says == "listen" ? 1 : 0]);
    if (!envelope) return;
    // Brokers ask everybody now and then, and tell everybody the configuration behind the welcome.
    if (std::holds_alternative<Ping>(envelope->message) ||
        std::holds_alternative<Configuration>(envelope->message))
      return hear();
    const auto* refused = std::get_if<Refused>(&envelope->message);
    const std::string reason = refused == nullptr ? std::string() : ": " + std::string(refused->reason);
    std::printf("heard %s%s\n", std::string(name_of(envelope->message)).c_str(), reason.c_str());
  }

  Plan plan_;
  SocketContext context_;
  NodeIdentity identity_;
  std::optional<Socket> socket_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace
}  // namespace cidbus

int main(int argc, char** argv) {
  using namespace cidbus;
  if (argc != 6 && argc != 9) {
    std::fputs("usage: key_holder ADDRESS CLUSTER NAME ROLE SAYS [KEY-FILE ALLOW-FILE SERVER]\n", stderr);
    return 2;
  }
  Plan plan{argv[1], argv[2], argv[3], argv[4], argv[5], {}, {}, {}};
  Trust trust;
  if (argc == 9) {
    plan.server = argv[8];
    auto keys = Keyring::open(argv[6], argv[7]);
    if (!keys) {
      std::fprintf(stderr, "%s\n", keys.error().message.c_str());
      return 2;
    }
    trust.keys = *keys;
  }
  return KeyHolderProgram(std::move(plan), std::move(trust)).run();
}
