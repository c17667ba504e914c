// Thousands of sockets on one thread: epoll on ZeroMQ's descriptors, so that a turn costs what is ready and
// not what is there.
//
// A ZeroMQ descriptor tells changes, not states: it is watched edge-triggered, and whoever is called reads
// until nothing is left. A send may swallow a change, so a socket that was used is looked at once more:
// wait() does that for those it calls, and who sends by itself says so with look_again().
//
// Thread rule: one owner. Limits: the system's, on open files.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "shared/base/ensure.h"
#include "shared/io/socket.h"

namespace cidbus {

class SocketSet {
 public:
  SocketSet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) { ENSURE(epoll_ >= 0, "errno", errno); }
  ~SocketSet() { ::close(epoll_); }
  SocketSet(const SocketSet&) = delete;
  SocketSet& operator=(const SocketSet&) = delete;

  Socket& add(Socket socket) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = sockets_.size();
    sockets_.push_back(std::move(socket));
    int descriptor = -1;
    std::size_t size = sizeof(descriptor);
    zmq_getsockopt(sockets_.back().handle(), ZMQ_FD, &descriptor, &size);
    const int added = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    ENSURE(added == 0, "errno", errno);
    return sockets_.back();
  }
  [[nodiscard]] std::size_t size() const { return sockets_.size(); }
  Socket& operator[](std::size_t place) { return sockets_[place]; }

  // Something was sent on it outside of wait().
  void look_again(std::size_t place) { to_look_at_.push_back(place); }

  // Calls `ready` with the place and the socket of each that has something to read, which it reads to the
  // end.
  template <typename Ready>
  void wait(int milliseconds, Ready ready) {
    // Until it is looked at for the first time, a socket does not tell that something has come.
    for (; looked_at_ < sockets_.size(); ++looked_at_) read_all(looked_at_, ready);
    for (const std::size_t place : std::exchange(to_look_at_, {})) read_all(place, ready);
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int at = 0; at < count; ++at) {
      read_all(events[static_cast<std::size_t>(at)].data.u64, ready);
    }
  }

 private:
  template <typename Ready>
  void read_all(std::size_t place, Ready& ready) {
    do {
      ready(place, sockets_[place]);
    } while (is_readable(sockets_[place]));
  }
  static bool is_readable(const Socket& socket) {
    int events = 0;
    std::size_t size = sizeof(events);
    zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size);
    return (events & ZMQ_POLLIN) != 0;
  }

  const int epoll_;
  std::deque<Socket> sockets_;
  std::vector<std::size_t> to_look_at_;
  std::size_t looked_at_ = 0;  // so many of them, at least once
};

}  // namespace cidbus
