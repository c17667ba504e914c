#include "shared/io/reactor.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "shared/base/ensure.h"
#include "shared/io/clock.h"
#include "shared/io/socket.h"

namespace cidbus {

struct Reactor::State {
  struct Source {
    void* socket = nullptr;
    int descriptor = -1;
    // Shared, since a handler may unwatch its own source while it runs.
    std::shared_ptr<Handler> handler;
  };
  std::vector<Source> sources;
  std::vector<zmq_pollitem_t> items;
  bool items_stale = true;
  std::vector<TurnEnd> turn_ends;
  std::optional<Monotonic> next_turn;
  std::atomic<bool> stopped{false};
  int wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

  void add(void* socket, int descriptor, Handler handler) {
    sources.push_back({socket, descriptor, std::make_shared<Handler>(std::move(handler))});
    items_stale = true;
  }
  void remove(void* socket, int descriptor) {
    std::erase_if(sources, [&](const Source& source) {
      return source.socket == socket && source.descriptor == descriptor;
    });
    items_stale = true;
  }
  void rebuild_items() {
    items.clear();
    for (const Source& source : sources) items.push_back({source.socket, source.descriptor, ZMQ_POLLIN, 0});
    items_stale = false;
  }
  void call_ready(Now now) {
    std::vector<std::shared_ptr<Handler>> ready;
    for (std::size_t place = 0; place < items.size(); ++place) {
      if (items[place].revents != 0) ready.push_back(sources[place].handler);
    }
    for (const auto& handler : ready) (*handler)(now);
  }
};

namespace {

// Rounded up, so that a deadline has passed when the wait for it ends.
long wait_milliseconds(std::optional<Monotonic> deadline, Duration most) {
  Duration wait = most;
  if (deadline) wait = std::min(wait, *deadline - read_clock().monotonic);
  if (wait <= Duration::zero()) return 0;
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

}  // namespace

Reactor::Reactor() : state_(std::make_unique<State>()) {
  ENSURE(state_->wake_descriptor >= 0, "errno", errno);
  watch(state_->wake_descriptor, [this](Now) {
    eventfd_t count = 0;
    eventfd_read(state_->wake_descriptor, &count);
  });
}

Reactor::~Reactor() { close(state_->wake_descriptor); }

void Reactor::watch(const Socket& socket, Handler handler) {
  state_->add(socket.handle(), 0, std::move(handler));
}
void Reactor::watch_monitor(Socket& socket, Handler handler) {
  state_->add(socket.monitor(), 0, std::move(handler));
}
void Reactor::watch(int descriptor, Handler handler) { state_->add(nullptr, descriptor, std::move(handler)); }
void Reactor::unwatch(const Socket& socket) { state_->remove(socket.handle(), 0); }
void Reactor::unwatch_monitor(Socket& socket) { state_->remove(socket.monitor(), 0); }
void Reactor::unwatch(int descriptor) { state_->remove(nullptr, descriptor); }
void Reactor::at_turn_end(TurnEnd turn_end) { state_->turn_ends.push_back(std::move(turn_end)); }

void Reactor::run() {
  while (run_once(std::chrono::hours(1))) {
  }
}

bool Reactor::run_once(Duration most) {
  if (state_->stopped) return false;
  if (state_->items_stale) state_->rebuild_items();
  const int count = zmq_poll(state_->items.data(), static_cast<int>(state_->items.size()),
                             wait_milliseconds(state_->next_turn, most));
  ENSURE(count >= 0 || errno == EINTR, zmq_strerror(errno));
  const Now now = read_clock();
  if (count > 0) state_->call_ready(now);
  state_->next_turn.reset();
  for (const TurnEnd& turn_end : state_->turn_ends) {
    const auto wanted = turn_end(now);
    if (wanted && (!state_->next_turn || *wanted < *state_->next_turn)) state_->next_turn = wanted;
  }
  return !state_->stopped;
}

void Reactor::stop() {
  state_->stopped = true;
  wake();
}

void Reactor::wake() { eventfd_write(state_->wake_descriptor, 1); }

}  // namespace cidbus
