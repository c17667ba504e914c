// What the tests of the client share: nodes that serve, peers that misbehave, and the client between them.
//
// Thread rule: the test's thread. Limits: none.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "shared/exchange/block_client.h"
#include "shared/exchange/test_cluster.h"

namespace cidbus {

class Client : public testing::Test {
 protected:
  TestNode& add_node(const std::string& name, ByteCount capacity = 1 << 30) {
    return *nodes_.emplace_back(std::make_unique<TestNode>(context_, index_, name, capacity));
  }
  std::unique_ptr<BlockClient> make_client(const BlockClientOptions& options = {}) {
    return std::make_unique<BlockClient>(context_, index_, test_node("client"), options,
                                         [this](const Block& block) { arrived_.push_back(block); });
  }
  // An address where a peer listens and never says a word.
  std::string silent_address() {
    auto& socket = silent_.emplace_back(std::make_unique<Socket>(context_, SocketKind::Router));
    EXPECT_TRUE(socket->bind("127.0.0.1:*"));
    return socket->bound_address();
  }
  // Answers everything it is asked for with these bytes.
  OddPeer& add_liar(const std::string& name) {
    auto& peer = odd_.emplace_back(std::make_unique<OddPeer>(
        context_, [](Socket& socket, ByteView sender, const Envelope& envelope, Encoder& encoder) {
          const auto* want = std::get_if<WantBlocks>(&envelope.message);
          if (want == nullptr) return;
          for (const ByteView cid : want->cids) {
            const BlockReply reply{want->request, cid, BlockAnswer::Here};
            socket.send({sender, encoder.encode(test_header(), reply), as_bytes("a lie")});
          }
        }));
    index_.add_node({name, peer->address()});
    return *peer;
  }
  void claim(const std::string& name, std::span<const Block> blocks) {
    for (const Block& block : blocks) index_.announce(name, std::vector{block_key(block.cid())}, {});
  }
  static std::vector<Cid> cids_of(std::span<const Block> blocks) {
    std::vector<Cid> cids;
    for (const Block& block : blocks) cids.push_back(block.cid());
    return cids;
  }
  std::size_t copies_of(const Block& block) {
    std::size_t copies = 0;
    for (const auto& node : nodes_) copies += node->holds(block) ? 1 : 0;
    return copies;
  }

  SocketContext context_;
  TestIndex index_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::vector<std::unique_ptr<Socket>> silent_;
  std::vector<std::unique_ptr<OddPeer>> odd_;
  std::vector<Block> arrived_;
  std::atomic<bool> late_ = false;
};

}  // namespace cidbus
