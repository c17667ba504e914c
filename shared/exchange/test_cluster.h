// Storing nodes in one process, on real sockets, for tests of the exchange: an index that hears what the
// stores hear.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shared/exchange/block_index.h"
#include "shared/exchange/exchange_server.h"
#include "shared/io/clock.h"
#include "shared/io/reactor.h"
#include "shared/store/block_key.h"
#include "shared/store/memory_store.h"
#include "shared/store/test_support.h"
#include "shared/wire/codec.h"

namespace cidbus {

inline NodeIdentity test_node(const std::string& name, const std::string& cluster = "test") {
  return {cluster, name, Role::Worker, {1}};
}

inline Monotonic in(Duration duration) { return read_clock().monotonic + duration; }

// Long enough for anything that should happen, on any machine.
inline Monotonic soon() { return in(std::chrono::seconds(30)); }

// The lock is here because stores tell it from the threads of their servers.
class TestIndex final : public BlockIndex {
 public:
  void add_node(const StoringNode& node) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(nodes_, [&](const StoringNode& other) { return other.name == node.name; });
    nodes_.push_back(node);
  }
  void remove_node(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(nodes_, [&](const StoringNode& node) { return node.name == name; });
  }
  void announce(const std::string& name, std::span<const BlockKey> added, std::span<const BlockKey> removed) {
    const std::scoped_lock lock(mutex_);
    for (const BlockKey& key : added) holders_[key].insert(name);
    for (const BlockKey& key : removed) holders_[key].erase(name);
  }
  [[nodiscard]] std::set<std::string> holders_of(const Cid& cid) {
    const std::scoped_lock lock(mutex_);
    return holders_[block_key(cid)];
  }

  Result<BlockHolders> find(std::span<const BlockKey> keys, Monotonic) override {
    const std::scoped_lock lock(mutex_);
    ++finds_;
    if (on_find) on_find(finds_);
    if (fault_) return tl::unexpected(*fault_);
    BlockHolders found{nodes_, {}};
    for (const BlockKey& key : keys) {
      auto& holders = found.holders.emplace_back();
      for (std::uint32_t place = 0; place < nodes_.size(); ++place) {
        if (holders_[key].contains(nodes_[place].name)) holders.push_back(place);
      }
    }
    return found;
  }
  Result<BlockPlacement> place(std::uint32_t copies, ByteCount, std::span<const std::string> exclude,
                               Monotonic) override {
    const std::scoped_lock lock(mutex_);
    if (fault_) return tl::unexpected(*fault_);
    BlockPlacement placement{{}, static_cast<std::uint32_t>(nodes_.size())};
    for (const StoringNode& node : nodes_) {
      if (std::ranges::find(exclude, node.name) != exclude.end()) continue;
      if (placement.nodes.size() < copies) placement.nodes.push_back(node);
    }
    return placement;
  }
  void set_fault(std::optional<Fault> fault) {
    const std::scoped_lock lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] int finds() const { return finds_; }

  // Called with the number of the search, under the lock.
  std::function<void(int)> on_find;

 private:
  std::mutex mutex_;
  std::vector<StoringNode> nodes_;
  std::map<BlockKey, std::set<std::string>> holders_;
  std::optional<Fault> fault_;
  int finds_ = 0;
};

// A store and its server.
class TestNode {
 public:
  TestNode(SocketContext& context, TestIndex& index, const std::string& name, ByteCount capacity = 1 << 30)
      : context_(context),
        index_(index),
        name_(name),
        store_(std::make_unique<MemoryStore>(
            capacity, WhenFull::Refuse,
            [&index, name](auto added, auto removed) { index.announce(name, added, removed); })) {
    start("127.0.0.1:*");
  }
  TestNode(SocketContext& context, TestIndex& index, const std::string& name,
           std::unique_ptr<BlockStore> store)
      : context_(context), index_(index), name_(name), store_(std::move(store)) {
    start("127.0.0.1:*");
  }

  void start(const std::string& address) {
    auto server = ExchangeServer::start(context_, *store_, test_node(name_), address);
    // ZeroMQ closes a socket some time after it was told to.
    for (const Monotonic deadline = soon(); !server && read_clock().monotonic < deadline;) {
      server = ExchangeServer::start(context_, *store_, test_node(name_), address);
    }
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    address_ = server_->address();
    index_.add_node({name_, address_});
  }
  // As kill -9 does: connections break; the index may or may not know.
  void stop() { server_.reset(); }
  void restart() { start(address_); }

  [[nodiscard]] BlockStore& store() { return *store_; }
  [[nodiscard]] ExchangeServer& server() { return *server_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] ExchangeCounts counts() const { return server_->counts(); }
  [[nodiscard]] bool holds(const Block& block) { return *store_->has(block.cid()); }

 private:
  SocketContext& context_;
  TestIndex& index_;
  const std::string name_;
  std::unique_ptr<BlockStore> store_;
  std::unique_ptr<ExchangeServer> server_;
  std::string address_;
};

// A peer that answers every message by its own rules, or not at all.
class OddPeer {
 public:
  // Given the socket, the sender's id, and the message; runs in a thread of its own.
  using Behaviour = std::function<void(Socket&, ByteView sender, const Envelope&, Encoder&)>;

  OddPeer(SocketContext& context, Behaviour behaviour)
      : socket_(context, SocketKind::Router), behaviour_(std::move(behaviour)) {
    const Status bound = socket_.bind("127.0.0.1:*");
    EXPECT_TRUE(bound);
    address_ = socket_.bound_address();
    reactor_.watch(socket_, [this](Now) { read(); });
    thread_ = std::thread([this] { reactor_.run(); });
  }
  OddPeer(const OddPeer&) = delete;
  OddPeer& operator=(const OddPeer&) = delete;
  ~OddPeer() {
    reactor_.stop();
    thread_.join();
  }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  void read() {
    Frames frames;
    while (socket_.receive(frames)) {
      const auto envelope = decoder_.decode(frames[1]);
      if (envelope && behaviour_) behaviour_(socket_, frames[0], *envelope, encoder_);
    }
  }

  Socket socket_;
  const Behaviour behaviour_;
  std::string address_;
  Encoder encoder_;
  Decoder decoder_;
  Reactor reactor_;
  std::thread thread_;
};

inline Header test_header(const std::string& cluster = "test") {
  Header header;
  header.cluster = cluster_id(cluster);
  header.sender = "odd";
  return header;
}

}  // namespace cidbus
