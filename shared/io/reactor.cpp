#include "shared/io/reactor.h"

#include <poll.h>
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
#include "shared/metrics/instruments.h"

namespace cidbus {

namespace {

int descriptor_of(void* socket) {
  int descriptor = -1;
  std::size_t size = sizeof(descriptor);
  const int told = zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size);
  ENSURE(told == 0, zmq_strerror(errno));
  return descriptor;
}

bool is_readable(void* socket) {
  int events = 0;
  std::size_t size = sizeof(events);
  const int told = zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
  ENSURE(told == 0, zmq_strerror(errno));
  return (events & ZMQ_POLLIN) != 0;
}

}  // namespace

// zmq_poll asks every socket twice a turn, at two system calls each time; most turns are about one of them.
// Here the descriptors are polled, and a socket is asked when its descriptor has called; and before the wait,
// since a send or a receive may have swallowed that call. Nobody sends on a monitor, so it is asked before
// the wait only after its handler ran.
struct Reactor::State {
  enum class Kind : std::uint8_t { Descriptor, Socket, Monitor };
  struct Source {
    Kind kind = Kind::Descriptor;
    void* socket = nullptr;
    int descriptor = -1;
    // Shared, since a handler may unwatch its own source while it runs.
    std::shared_ptr<Handler> handler;
    bool ask = true;     // before the wait
    bool ready = false;  // in this turn
  };
  std::vector<Source> sources;
  std::vector<pollfd> items;  // one for each source
  bool items_stale = true;
  std::vector<TurnEnd> turn_ends;
  Histogram* turns = nullptr;  // or nobody measures
  std::optional<Monotonic> next_turn;
  std::atomic<bool> stopped{false};
  int wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

  void add(Kind kind, void* socket, int descriptor, Handler handler) {
    sources.push_back({kind, socket, descriptor, std::make_shared<Handler>(std::move(handler))});
    items_stale = true;
  }
  template <typename Matches>
  void remove_if(Matches matches) {
    std::erase_if(sources, matches);
    items_stale = true;
  }
  void rebuild_items() {
    items.clear();
    for (const Source& source : sources) items.push_back({source.descriptor, POLLIN, 0});
    items_stale = false;
  }
  // Whether a socket has something to read already.
  bool ask_sockets() {
    bool any = false;
    for (Source& source : sources) {
      source.ready = source.ask && source.kind != Kind::Descriptor && is_readable(source.socket);
      source.ask = source.ready || source.kind == Kind::Socket;
      any = any || source.ready;
    }
    return any;
  }
  void wait(long milliseconds) {
    const int count = ::poll(items.data(), items.size(), static_cast<int>(milliseconds));
    ENSURE(count >= 0 || errno == EINTR, "errno", errno);
    if (count <= 0) return;
    for (std::size_t place = 0; place < items.size(); ++place) {
      Source& source = sources[place];
      if (items[place].revents == 0 || source.ready) continue;
      source.ready = source.kind == Kind::Descriptor || is_readable(source.socket);
    }
  }
  void call_ready(Now now) {
    std::vector<std::shared_ptr<Handler>> ready;
    for (Source& source : sources) {
      if (!source.ready) continue;
      source.ready = false;
      source.ask = true;
      ready.push_back(source.handler);
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
  state_->add(State::Kind::Socket, socket.handle(), descriptor_of(socket.handle()), std::move(handler));
}
void Reactor::watch_monitor(Socket& socket, Handler handler) {
  state_->add(State::Kind::Monitor, socket.monitor(), descriptor_of(socket.monitor()), std::move(handler));
}
void Reactor::watch(int descriptor, Handler handler) {
  state_->add(State::Kind::Descriptor, nullptr, descriptor, std::move(handler));
}
void Reactor::unwatch(const Socket& socket) {
  state_->remove_if([handle = socket.handle()](const auto& source) { return source.socket == handle; });
}
void Reactor::unwatch_monitor(Socket& socket) {
  state_->remove_if([handle = socket.monitor()](const auto& source) { return source.socket == handle; });
}
void Reactor::unwatch(int descriptor) {
  state_->remove_if([descriptor](const auto& source) {
    return source.kind == State::Kind::Descriptor && source.descriptor == descriptor;
  });
}
void Reactor::measure_turns(Histogram& turns) { state_->turns = &turns; }
void Reactor::at_turn_end(TurnEnd turn_end) { state_->turn_ends.push_back(std::move(turn_end)); }

void Reactor::run() {
  while (run_once(std::chrono::hours(1))) {
  }
}

bool Reactor::run_once(Duration most) {
  if (state_->stopped) return false;
  if (state_->items_stale) state_->rebuild_items();
  const bool ready = state_->ask_sockets();
  state_->wait(ready ? 0 : wait_milliseconds(state_->next_turn, most));
  const Now now = read_clock();
  state_->call_ready(now);
  state_->next_turn.reset();
  for (const TurnEnd& turn_end : state_->turn_ends) {
    const auto wanted = turn_end(now);
    if (wanted && (!state_->next_turn || *wanted < *state_->next_turn)) state_->next_turn = wanted;
  }
  if (state_->turns != nullptr) state_->turns->observe(read_clock().monotonic - now.monotonic);
  return !state_->stopped;
}

void Reactor::stop() {
  state_->stopped = true;
  wake();
}

void Reactor::wake() { eventfd_write(state_->wake_descriptor, 1); }

}  // namespace cidbus
