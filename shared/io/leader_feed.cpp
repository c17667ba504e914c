#include "shared/io/leader_feed.h"

#include "shared/io/bus_link.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 16;
constexpr int feed_out_offset = 1;  // DESIGN section 11: a broker at port P sends the feed at P+1

}  // namespace

LeaderFeed::LeaderFeed(SocketContext& context, Reactor& reactor, ClusterId cluster, Heard heard)
    : reactor_(reactor), cluster_(cluster), heard_(std::move(heard)), socket_(context, SocketKind::Sub) {
  socket_.subscribe(to_text(FeedTopic::Leader));
  reactor_.watch(socket_, [this](Now now) { read(now); });
}

LeaderFeed::~LeaderFeed() { reactor_.unwatch(socket_); }

void LeaderFeed::listen_to(const std::string& broker, const std::string& key) {
  const auto [place, fresh] = keys_.emplace(broker, key);
  if (!fresh && place->second == key) return;
  const std::string address = address_at(broker, feed_out_offset);
  if (!fresh) socket_.disconnect(address);
  place->second = key;
  static_cast<void>(socket_.connect(address, key));  // the bus has tried the address
}

void LeaderFeed::read(Now now) {
  for (int count = 0; count < messages_a_turn && socket_.receive(frames_); ++count) {
    const auto envelope = frames_.size() == 2 ? decoder_.decode(frames_[1]) : Result<Envelope>(Envelope{});
    if (!envelope || envelope->header.cluster != cluster_) continue;
    const auto* message = std::get_if<Feed>(&envelope->message);
    if (message == nullptr) continue;
    for (const FeedEvent& event : message->events)
      if (const auto* leader = std::get_if<LeaderEvent>(&event)) heard_(now, *leader);
  }
}

}  // namespace cidbus
