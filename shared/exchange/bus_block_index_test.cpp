// The index over the bus, against a leader that answers by rote.

#include "shared/exchange/bus_block_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/exchange/test_cluster.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Message answer_hello() {
  Welcome welcome;
  welcome.leader = "b1";
  welcome.heartbeat = 1s;
  welcome.node_timeout = 5s;
  welcome.lease = 30s;
  welcome.credit = 100;
  return welcome;
}

// w1 holds every block, w2 every second one.
Message answer_find(const Find& find) {
  Providers providers{find.request, {{"w1", "host:1"}, {"w2", "host:2"}}, {}};
  for (std::size_t i = 0; i < find.blocks.size(); ++i) {
    providers.blocks.push_back(
        {find.blocks[i], i % 2 == 0 ? std::vector<std::uint32_t>{0} : std::vector<std::uint32_t>{0, 1}});
  }
  return providers;
}

// As many as asked for, of those not excluded, out of three.
Message answer_place(const Place& place) {
  Placement placement{place.request, {}, 3};
  for (const NodeAddress& node : {NodeAddress{"w1", "host:1"}, {"w2", "host:2"}, {"w3", "host:3"}}) {
    const bool excluded = std::ranges::find(place.exclude, node.name) != place.exclude.end();
    if (!excluded && placement.nodes.size() < place.copies) placement.nodes.push_back(node);
  }
  return placement;
}

void answer(Socket& socket, ByteView sender, const Envelope& envelope, Encoder& encoder) {
  std::optional<Message> message;
  if (std::holds_alternative<Hello>(envelope.message)) message = answer_hello();
  if (std::holds_alternative<Ping>(envelope.message)) message = Pong{};
  if (const auto* find = std::get_if<Find>(&envelope.message)) message = answer_find(*find);
  if (const auto* place = std::get_if<Place>(&envelope.message)) message = answer_place(*place);
  Header header = test_header();
  header.epoch = {1};
  header.sender = "b1";
  if (message) socket.send({sender, encoder.encode(header, *message)});
}

TEST(BusIndex, FindsHoldersAndPlacesCopies) {
  SocketContext context;
  const OddPeer leader(context, answer);
  BusAsker asker(context, {"test", "c1", Role::Client, {7}}, {leader.address()});
  BusBlockIndex index(asker);

  const std::vector<BlockKey> keys{block_key(random_block(1, 1).cid()), block_key(random_block(1, 2).cid())};
  const auto found = index.find(keys, soon());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->nodes, ElementsAre(StoringNode{"w1", "host:1"}, StoringNode{"w2", "host:2"}));
  EXPECT_THAT(found->holders, ElementsAre(ElementsAre(0u), ElementsAre(0u, 1u)));

  const std::vector<std::string> exclude{"w1"};
  const auto placed = index.place(2, 1 << 20, exclude, soon());
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->storing_nodes, 3u);
  EXPECT_THAT(placed->nodes, ElementsAre(StoringNode{"w2", "host:2"}, StoringNode{"w3", "host:3"}));

  const auto nothing = index.find({}, soon());
  ASSERT_TRUE(nothing);
  EXPECT_THAT(nothing->holders, IsEmpty());
  const auto many = index.find(std::vector<BlockKey>(limits::items_a_message), soon());
  ASSERT_TRUE(many) << many.error().message;
  EXPECT_EQ(many->holders.size(), limits::items_a_message);
}

TEST(BusIndex, NamesTheBrokersItCannotReach) {
  SocketContext context;
  BusAsker asker(context, {"test", "c1", Role::Client, {7}}, {"127.0.0.1:1"});
  BusBlockIndex index(asker);
  const auto found = index.find(std::vector<BlockKey>(1), in(50ms));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, FaultKind::Unavailable);
  EXPECT_THAT(found.error().message, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(index.place(2, 1, {}, in(50ms)).error().kind, FaultKind::Unavailable);
}

}  // namespace
}  // namespace cidbus
