#include "leecher/guests.h"

#include <algorithm>

#include "shared/base/limits/leecher.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 256;
constexpr Duration longest_silence = std::chrono::minutes(1);
// Submissions a client may have unanswered: each is synced here before it is answered.
constexpr std::uint32_t guest_credit = 1024;

Socket::Options guest_options() {
  Socket::Options options;
  options.admits = roles_with_content;
  return options;
}

}  // namespace

Guests::Guests(SocketContext& context, Reactor& reactor, NodeIdentity identity, Owner& owner)
    : identity_(std::move(identity)),
      cluster_(cluster_id(identity_.cluster)),
      reactor_(reactor),
      owner_(owner),
      socket_(context, SocketKind::Router, guest_options()),
      keys_(context) {}

Guests::~Guests() { reactor_.unwatch(socket_); }

Status Guests::listen(const std::string& address) {
  if (Status bound = socket_.bind(address); !bound) return bound;
  reactor_.watch(socket_, [this](Now now) { read(now); });
  return {};
}

void Guests::read(Now now) {
  keys_.refresh();
  for (int count = 0; count < messages_a_turn && socket_.receive(frames_); ++count) {
    on_frame(now, frames_[0], frames_.size() == 2 ? frames_[1] : ByteView{});
  }
}

void Guests::on_frame(Now now, ByteView routing_id, ByteView frame) {
  const auto id = parse_routing_id(routing_id);
  const auto envelope = decoder_.decode(frame);
  if (!envelope) return refuse(routing_id, Refusal::BadMessage, envelope.error().message);
  const Header& from = envelope->header;
  if (from.version != protocol_version)
    return refuse(routing_id, Refusal::WrongVersion, "this leecher speaks version 1 of the protocol");
  if (from.cluster != cluster_) {
    return refuse(
        routing_id, Refusal::WrongCluster,
        "this leecher belongs to cluster '" + identity_.cluster + "'; check --cluster and --brokers");
  }
  if (!id || from.sender != id->first || from.incarnation != id->second)
    return refuse(routing_id, Refusal::BadMessage, "the sender is not who its connection says");
  if (const KeyHolder* const holder = keys_.holder(frames_);
      holder != nullptr && !holder->may_speak_as(from.sender, Role::Client)) {
    if (holder->roles.empty()) frames_.cut_connection();  // it is told why when it comes back
    return refuse(routing_id, Refusal::NotAllowed, "the key of this connection is not that of who speaks");
  }
  if (const auto* hello = std::get_if<Hello>(&envelope->message)) return on_hello(now, routing_id, *hello);
  const auto known = by_routing_id_.find(as_text(routing_id));
  if (known == by_routing_id_.end()) return refuse(routing_id, Refusal::NotKnown, "say hello first");
  const Guest guest = known->second;
  by_number_.at(guest).heard = now.monotonic;
  if (std::holds_alternative<Ping>(envelope->message)) return tell(guest, Pong{});
  if (std::holds_alternative<Pong>(envelope->message)) return;
  if (std::holds_alternative<Goodbye>(envelope->message)) return forget(guest);
  if (owner_.on_guest_message(now, guest, envelope->message)) return;
  refuse(routing_id, Refusal::NotAllowed,
         "a client of a leecher may not say " + std::string(name_of(envelope->message)));
}

void Guests::on_hello(Now now, ByteView routing_id, const Hello& hello) {
  if (hello.role != Role::Client) {
    return refuse(routing_id, Refusal::NotAllowed,
                  "'" + identity_.name + "' is a leecher and takes commands and programs only; give a " +
                      std::string(to_text(hello.role)) + " the brokers' addresses");
  }
  const std::string id(as_text(routing_id));
  if (const auto held = by_routing_id_.find(id); held != by_routing_id_.end()) forget(Guest(held->second));
  if (by_number_.size() >= limits::desk_guests) forget_longest_silent();
  const Guest guest{++last_number_};
  by_routing_id_.emplace(id, guest);
  by_number_.emplace(guest, Known{id, now.monotonic});
  tell(guest, Welcome{identity_.name, limits::heartbeat, limits::node_timeout, limits::lease, guest_credit});
}

void Guests::refuse(ByteView routing_id, Refusal why, std::string_view reason) {
  send(as_text(routing_id), Refused{why, reason, {}});
}

// Its epoch is 0, always: what it says is no leader's word.
bool Guests::send(std::string_view routing_id, const Message& message) {
  const Header header{protocol_version, cluster_, {}, identity_.name, identity_.incarnation};
  return socket_.send({as_bytes(routing_id), encoder_.encode(header, message)}) == SendAnswer::Sent;
}

void Guests::tell(Guest guest, const Message& message) {
  const auto known = by_number_.find(guest);
  if (known != by_number_.end() && !send(known->second.routing_id, message)) undeliverable_.push_back(guest);
}

void Guests::forget(Guest guest) {
  const auto known = by_number_.find(guest);
  if (known == by_number_.end()) return;
  by_routing_id_.erase(known->second.routing_id);
  by_number_.erase(known);
  owner_.on_guest_gone(guest);
}

void Guests::forget_longest_silent() {
  const auto silent =
      std::min_element(by_number_.begin(), by_number_.end(),
                       [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
  forget(Guest(silent->first));
}

void Guests::end_turn(Now now) {
  for (const auto& [guest, known] : by_number_) {
    if (now.monotonic - known.heard > longest_silence) undeliverable_.push_back(guest);
  }
  for (const Guest guest : std::exchange(undeliverable_, {})) forget(guest);
}

}  // namespace cidbus
