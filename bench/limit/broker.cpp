#include "bench/limit/broker.h"

#include <zmq.h>

#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/limit/peer_table.h"
#include "bench/limit/task_batch.h"
#include "shared/base/result.h"
#include "shared/io/socket.h"

namespace cidbus::limit {
namespace {

constexpr int messages_a_turn = 256;
constexpr long wait_milliseconds = 50;  // until it looks whether it was stopped

Socket::Options options() {
  Socket::Options options;
  options.queue = 10'000;
  return options;
}

// The peers behind one socket, and what this turn has for each.
class Side {
 public:
  Side(SocketContext& context, std::size_t batch)
      : socket_(context, SocketKind::Router, options()), batch_(batch) {
    const Status bound = socket_.bind("127.0.0.1:*");
    ENSURE(bound.has_value(), bound.error().message);
  }
  [[nodiscard]] std::string address() const { return socket_.bound_address(); }
  [[nodiscard]] void* handle() const { return socket_.handle(); }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }

  // Calls `take` with the peer and the tasks of each message that waits.
  template <typename Take>
  void receive(Take take) {
    for (int count = 0; count < messages_a_turn && socket_.receive(frames_); ++count) {
      const std::string_view id = as_text(frames_[0]);
      const auto [known, fresh] =
          numbers_.try_emplace(std::string(id), static_cast<std::uint32_t>(peers_.size()));
      if (fresh) peers_.push_back({known->first, {}});
      take(known->second, frames_[1]);
    }
  }
  void add(std::uint32_t peer, const Task& task) {
    TaskBatch& batch = peers_[peer].batch;
    if (batch.count() == 0) filled_.push_back(peer);
    batch.add(task);
    if (batch.count() == batch_) send(peers_[peer]);
  }
  void send_all() {
    for (const std::uint32_t peer : filled_) {
      if (peers_[peer].batch.count() > 0) send(peers_[peer]);
    }
    filled_.clear();
  }

 private:
  struct Peer {
    std::string_view id;
    TaskBatch batch;
  };
  void send(Peer& peer) {
    const SendAnswer answer = socket_.send({as_bytes(peer.id), peer.batch.bytes()});
    ENSURE(answer == SendAnswer::Sent, "a message was lost: the window is larger than ZeroMQ's queues");
    peer.batch.clear();
  }

  Socket socket_;
  const std::size_t batch_;
  Frames frames_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<Peer> peers_;
  std::vector<std::uint32_t> filled_;
};

}  // namespace

struct Broker::State {
  explicit State(std::size_t batch)
      : clients(context, batch),
        workers(context, batch),
        client_address(clients.address()),
        worker_address(workers.address()) {}

  // A message from a worker without a task says that it is there.
  void turn(bool tasks_arrived, bool answers_arrived) {
    if (answers_arrived) {
      workers.receive([this](std::uint32_t, ByteView frame) {
        for_each_task(frame, [this](const Task& task) { clients.add(table.take(task.number), task); });
      });
    }
    if (tasks_arrived && workers.peers() > 0) {
      clients.receive([this](std::uint32_t client, ByteView frame) {
        for_each_task(frame, [&](const Task& task) {
          table.put(task.number, client);
          workers.add(next_worker, task);
          next_worker = next_worker + 1 < workers.peers() ? next_worker + 1 : 0;
        });
      });
    }
    clients.send_all();
    workers.send_all();
  }

  SocketContext context;
  Side clients;
  Side workers;
  PeerTable table;
  std::uint32_t next_worker = 0;
  const std::string client_address;
  const std::string worker_address;
};

Broker::Broker(std::size_t batch) : state_(std::make_unique<State>(batch)) {}
Broker::~Broker() = default;
const std::string& Broker::client_address() const { return state_->client_address; }
const std::string& Broker::worker_address() const { return state_->worker_address; }

void Broker::run() {
  zmq_pollitem_t items[] = {{state_->clients.handle(), 0, ZMQ_POLLIN, 0},
                            {state_->workers.handle(), 0, ZMQ_POLLIN, 0}};
  while (!stopped_) {
    zmq_poll(items, 2, wait_milliseconds);
    state_->turn((items[0].revents & ZMQ_POLLIN) != 0, (items[1].revents & ZMQ_POLLIN) != 0);
  }
}

}  // namespace cidbus::limit
