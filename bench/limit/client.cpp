#include "bench/limit/client.h"

#include <zmq.h>

#include <vector>

#include "bench/limit/task_batch.h"
#include "shared/base/result.h"
#include "shared/io/clock.h"
#include "shared/io/socket.h"

namespace cidbus::limit {
namespace {

class Client {
 public:
  Client(const std::string& address, const Load& load)
      : load_(load),
        socket_(context_, SocketKind::Dealer, options()),
        payload_(load.payload, std::uint8_t{'x'}) {
    const Status connected = socket_.connect(address);
    ENSURE(connected.has_value(), connected.error().message);
    begun_.resize(load.window);
    for (std::size_t place = 0; place < load.window; ++place) free_.push_back(place);
  }

  LoadResult run() {
    const Monotonic started = read_clock().monotonic;
    zmq_pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    fill_window(started);
    while (answered_ < load_.tasks) {
      zmq_poll(&item, 1, -1);
      const Monotonic now = read_clock().monotonic;
      while (socket_.receive(frames_)) {
        for_each_task(frames_[0], [&](const Task& task) { take(now, task); });
      }
      fill_window(now);
    }
    result_.tasks = load_.tasks;
    result_.elapsed = read_clock().monotonic - started;
    return std::move(result_);
  }

 private:
  static Socket::Options options() {
    Socket::Options options;
    options.queue = 10'000;
    options.routing_id = "client";
    options.immediate = false;
    return options;
  }

  void take(Monotonic now, const Task& task) {
    ENSURE(equal(task.payload, payload_), "task", task.number);
    result_.latencies.add(now - begun_[task.number % load_.window]);
    free_.push_back(task.number % load_.window);
    ++answered_;
  }

  // Each task in flight has a place of its own; its number says which.
  void fill_window(Monotonic now) {
    while (sent_ < load_.tasks && sent_ - answered_ < load_.window) {
      const std::size_t place = free_.back();
      free_.pop_back();
      begun_[place] = now;
      batch_.add({++rounds_ * load_.window + place, payload_});
      ++sent_;
      if (batch_.count() == load_.batch) send();
    }
    if (batch_.count() > 0) send();
  }
  void send() {
    const SendAnswer sent = socket_.send({batch_.bytes()});
    ENSURE(sent == SendAnswer::Sent, "a message was lost: the window is larger than ZeroMQ's queues");
    batch_.clear();
  }

  const Load load_;
  SocketContext context_;
  Socket socket_;
  const Bytes payload_;
  Frames frames_;
  TaskBatch batch_;
  std::vector<Monotonic> begun_;   // by place
  std::vector<std::size_t> free_;  // places without a task in flight
  std::uint64_t rounds_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  LoadResult result_;
};

}  // namespace

LoadResult run_client(const std::string& address, const Load& load) { return Client(address, load).run(); }

}  // namespace cidbus::limit
