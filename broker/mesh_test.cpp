#include "broker/mesh.h"

#include <gtest/gtest.h>

#include "shared/io/clock.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

// A broker's end of the mesh, keeping what it hears.
class End : public Mesh::Owner {
 public:
  struct Heard {
    std::string from;
    group::Channel channel;
    std::vector<Bytes> frames;
  };
  void on_mesh(Now, group::Channel channel, const Frames& frames) override {
    Heard one{std::string(as_text(frames[0])), channel, {}};
    for (std::size_t place = 1; place < frames.size(); ++place) one.frames.push_back(to_bytes(frames[place]));
    heard.push_back(std::move(one));
  }
  void on_link(Now, std::size_t peer, bool up) override {
    if (links.size() <= peer) links.resize(peer + 1);
    links[peer] = up;
  }
  void on_stranger(std::string_view sender, std::string_view holder) override {
    stranger = std::string(sender) + " by the key of " + std::string(holder);
  }
  std::vector<Heard> heard;
  std::string stranger;
  std::vector<bool> links;
};

class MeshTest : public testing::Test {
 protected:
  // Two neighbouring ports that are free now.
  static std::string free_address() {
    SocketContext context;
    Socket probe(context, SocketKind::Router);
    EXPECT_TRUE(probe.bind("127.0.0.1:*"));
    const std::string address = probe.bound_address();
    return "127.0.0.1:" +
           std::to_string(std::stoi(address.substr(address.rfind(':') + 1)) - Mesh::control_offset);
  }
  template <typename Condition>
  void turn_until(Condition condition) {
    const Monotonic limit = read_clock().monotonic + 30s;
    bool met = condition();
    for (; !met && read_clock().monotonic < limit; met = condition()) reactor_.run_once(50ms);
    EXPECT_TRUE(met);
  }

  Reactor reactor_;
};

TEST_F(MeshTest, CarriesEnvelopesAndBatchesOnBothChannelsAndTellsWhenAPeerIsGone) {
  const std::string here = free_address();
  const std::string there = free_address();
  End mine;
  End theirs;
  Mesh mesh({"b1#0000000000000001", here, {there}}, reactor_, mine);
  ASSERT_TRUE(mesh.open());
  const Bytes envelope{1, 2, 3};
  EXPECT_EQ(mesh.send(0, group::Channel::Control, envelope), SendAnswer::Full)
      << "nobody is there to take it";
  {
    Mesh peer({"b2#0000000000000002", there, {here}}, reactor_, theirs);
    ASSERT_TRUE(peer.open());
    turn_until([&] { return mine.links == std::vector{true} && theirs.links == std::vector{true}; });
    const std::vector<std::shared_ptr<const Bytes>> batches{std::make_shared<const Bytes>(100'000, 7),
                                                            std::make_shared<const Bytes>(5, 8)};
    turn_until([&] { return mesh.send(0, group::Channel::Bulk, envelope, batches) == SendAnswer::Sent; });
    EXPECT_EQ(mesh.send(0, group::Channel::Control, envelope), SendAnswer::Sent);
    turn_until([&] { return theirs.heard.size() == 2; });
    for (const End::Heard& heard : theirs.heard) {
      EXPECT_EQ(heard.from, "b1#0000000000000001");
      EXPECT_EQ(heard.frames[0], envelope);
      if (heard.channel == group::Channel::Control) {
        EXPECT_EQ(heard.frames.size(), 1U);
      } else {
        ASSERT_EQ(heard.frames.size(), 3U);
        EXPECT_EQ(heard.frames[1], *batches[0]);
        EXPECT_EQ(heard.frames[2], *batches[1]);
      }
    }
  }
  turn_until([&] { return mine.links == std::vector{false}; });
}

}  // namespace
}  // namespace cidbus
