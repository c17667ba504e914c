#include "shared/io/gatekeeper.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "shared/base/ensure.h"
#include "shared/base/limits/keys.h"
#include "shared/base/time.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr const char* zap_endpoint = "inproc://zeromq.zap.01";
constexpr std::size_t zap_frames = 7;  // with CURVE: its credentials are one frame, the key in 32 bytes
constexpr std::size_t key_bytes = 32;
constexpr Duration refusals_told_every = std::chrono::seconds(1);

struct ZapRequest {
  enum Frame { Version, Request, Domain, Address, Identity, Mechanism, Credentials };
  std::vector<std::string> frames;
  [[nodiscard]] bool is_of_curve() const {
    return frames.size() == zap_frames && frames[Version] == "1.0" && frames[Mechanism] == "CURVE" &&
           frames[Credentials].size() == key_bytes;
  }
};

std::string key_of(const ZapRequest& request) {
  std::array<char, limits::key_text + 1> text{};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(request.frames[ZapRequest::Credentials].data());
  zmq_z85_encode(text.data(), bytes, key_bytes);
  return text.data();
}

}  // namespace

class Gatekeeper::Actor {
 public:
  Actor(void* zmq_context, Trust trust)
      : trust_(std::move(trust)),
        socket_(zmq_socket(zmq_context, ZMQ_REP)),
        stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    ENSURE(socket_ != nullptr && stop_ >= 0, zmq_strerror(errno));
    const int linger = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof(linger));
    const int bound = zmq_bind(socket_, zap_endpoint);
    ENSURE(bound == 0, zmq_strerror(errno));
    thread_ = std::thread([this] { run(); });
  }
  ~Actor() {
    eventfd_write(stop_, 1);
    thread_.join();
    zmq_close(socket_);
    ::close(stop_);
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

 private:
  void run() {
    zmq_pollitem_t items[2] = {{socket_, 0, ZMQ_POLLIN, 0}, {nullptr, stop_, ZMQ_POLLIN, 0}};
    const auto period = static_cast<long>(std::chrono::milliseconds(limits::allow_list_every).count());
    while (true) {
      const int count = zmq_poll(items, 2, period);
      ENSURE(count >= 0 || errno == EINTR, zmq_strerror(errno));
      if (count > 0 && items[1].revents != 0) return;
      if (count > 0 && items[0].revents != 0) answer();
      const Monotonic now = read_clock().monotonic;
      look_at_list(now);
      tell_refusals(now);
    }
  }

  void answer() {
    const ZapRequest request = receive();
    if (request.frames.size() <= ZapRequest::Request) return;
    const std::string key = request.is_of_curve() ? key_of(request) : std::string();
    const auto list = trust_.keys->list();
    const KeyHolder* const holder = list->find(key);
    const RoleSet admitted = parse_roles(request.frames[ZapRequest::Domain]).value_or(RoleSet());
    const bool good = holder != nullptr && holder->roles.meets(admitted);
    if (!good) {
      trust_.keys->count_refusal();
      untold_ = true;
      refused_address_ = request.frames.size() == zap_frames ? request.frames[ZapRequest::Address] : "?";
    }
    send("1.0", ZMQ_SNDMORE);
    send(request.frames[ZapRequest::Request], ZMQ_SNDMORE);
    send(good ? "200" : "400", ZMQ_SNDMORE);
    send(good ? "OK" : "this key is not let in", ZMQ_SNDMORE);
    send(good ? key : std::string(), ZMQ_SNDMORE);  // the user id
    send("", 0);                                    // no metadata
  }

  ZapRequest receive() {
    ZapRequest request;
    int more = 1;
    while (more != 0) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      const int size = zmq_msg_recv(&message, socket_, 0);
      ENSURE(size >= 0 || errno == EINTR, zmq_strerror(errno));
      if (size >= 0) {
        request.frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
        more = zmq_msg_more(&message);
      }
      zmq_msg_close(&message);
    }
    return request;
  }

  void send(std::string_view frame, int more) {
    const int sent = zmq_send(socket_, frame.data(), frame.size(), more | ZMQ_DONTWAIT);
    ENSURE(sent >= 0, zmq_strerror(errno));
  }

  void look_at_list(Monotonic now) {
    if (now < next_look_) return;
    next_look_ = now + limits::allow_list_every;
    const auto reloaded = trust_.keys->reload();
    if (!reloaded || trust_.log == nullptr) return;
    trust_.log->write(reloaded->good ? LogLevel::Info : LogLevel::Error, reloaded->line);
  }

  void tell_refusals(Monotonic now) {
    if (!untold_ || now < next_told_) return;
    next_told_ = now + refusals_told_every;
    if (trust_.log != nullptr) {
      trust_.log->warning(
          "refused " + std::to_string(trust_.keys->refusals()) +
          " connections until now whose key is not in the allow-list, or not for what they connected to; "
          "the last one came from " +
          refused_address_);
    }
    untold_ = false;
  }

  const Trust trust_;
  void* const socket_;
  const int stop_;
  Monotonic next_look_{};
  Monotonic next_told_{};
  bool untold_ = false;  // something was refused since it was told
  std::string refused_address_;
  std::thread thread_;  // last: everything above is there when it starts
};

Gatekeeper::Gatekeeper(void* zmq_context, Trust trust)
    : actor_(std::make_unique<Actor>(zmq_context, std::move(trust))) {}
Gatekeeper::~Gatekeeper() = default;

}  // namespace cidbus
