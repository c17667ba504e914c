#include "bench/limit/worker.h"

#include <vector>

#include "bench/limit/task_batch.h"
#include "bench/support/socket_set.h"
#include "shared/base/result.h"

namespace cidbus::limit {
namespace {

constexpr int wait_milliseconds = 50;  // until it looks whether it was stopped

}  // namespace

struct Workers::State {
  State(const std::string& address, std::size_t count, std::size_t most) : batch(most) {
    for (std::size_t session = 0; session < count; ++session) {
      Socket::Options options;
      options.queue = 10'000;
      options.immediate = false;  // its greeting waits for the connection
      Socket& socket = sessions.add(Socket(context, SocketKind::Dealer, options));
      const Status connected = socket.connect(address);
      ENSURE(connected.has_value(), connected.error().message);
      socket.send({ByteView()});
    }
  }

  void answer(Socket& socket) {
    while (socket.receive(frames)) {
      for_each_task(frames[0], [&](const Task& task) {
        answers.add(task);
        if (answers.count() == batch) send(socket);
      });
    }
    if (answers.count() > 0) send(socket);
  }
  void send(Socket& socket) {
    const SendAnswer sent = socket.send({answers.bytes()});
    ENSURE(sent == SendAnswer::Sent, "a message was lost: the window is larger than ZeroMQ's queues");
    answers.clear();
  }

  const std::size_t batch;
  SocketContext context;
  SocketSet sessions;
  Frames frames;
  TaskBatch answers;
};

Workers::Workers(std::string address, std::size_t sessions, std::size_t batch)
    : state_(std::make_unique<State>(address, sessions, batch)) {}
Workers::~Workers() = default;

void Workers::run() {
  while (!stopped_) {
    state_->sessions.wait(wait_milliseconds, [this](std::size_t, Socket& socket) { state_->answer(socket); });
  }
}

}  // namespace cidbus::limit
