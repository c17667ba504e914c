#include "broker/tasks/session_links.h"

#include "shared/base/ensure.h"

namespace cidbus {

SessionLink* SessionLinks::find(const SessionId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &links_[found->second];
}

SessionLink* SessionLinks::find(SessionHandle session) {
  if (session >= by_session_.size() || by_session_[session] == 0) return nullptr;
  return &links_[by_session_[session]];
}

SessionLink* SessionLinks::get(LinkRef ref) {
  if (!links_.is_live(ref.handle) || links_[ref.handle].serial != ref.serial) return nullptr;
  return &links_[ref.handle];
}

LinkRef SessionLinks::ref_of(const SessionLink& link) const { return {handle_of(link), link.serial}; }

SessionLink& SessionLinks::add(const SessionId& id, Peer peer, Monotonic renew_at) {
  const Handle handle = links_.take();
  SessionLink& link = links_[handle];
  link.id = id;
  link.serial = ++last_serial_;
  link.renew_at = renew_at;
  ENSURE(by_id_.emplace(id, handle).second, to_text(id));
  attach(handle, peer);
  append_renewal(handle);
  return link;
}

void SessionLinks::move(SessionLink& link, Peer peer) {
  if (link.peer == peer) return;
  const Handle handle = handle_of(link);
  detach(handle);
  attach(handle, peer);
  link.pushed = link.acknowledged;
  link.last = 0;
  link.bytes_out = 0;
}

void SessionLinks::set_session(SessionLink& link, SessionHandle session) {
  if (link.session != 0) by_session_[link.session] = 0;
  link.session = session;
  if (session == 0) return;
  if (session >= by_session_.size()) by_session_.resize(session + std::size_t{1});
  by_session_[session] = handle_of(link);
}

void SessionLinks::remove(SessionLink& link) {
  const Handle handle = handle_of(link);
  set_session(link, 0);
  detach(handle);
  remove_renewal(handle);
  by_id_.erase(link.id);
  links_.give_back(handle);
}

void SessionLinks::remove_all_of(Peer peer) {
  for (;;) {
    const auto found = first_of_peer_.find(static_cast<std::uint32_t>(peer));
    if (found == first_of_peer_.end()) return;
    remove(links_[found->second]);
  }
}

void SessionLinks::attach(Handle handle, Peer peer) {
  SessionLink& link = links_[handle];
  Handle& first = first_of_peer_[static_cast<std::uint32_t>(peer)];
  link.peer = peer;
  link.previous = 0;
  link.next = first;
  if (first != 0) links_[first].previous = handle;
  first = handle;
}

void SessionLinks::detach(Handle handle) {
  const SessionLink& link = links_[handle];
  if (link.next != 0) links_[link.next].previous = link.previous;
  if (link.previous != 0) {
    links_[link.previous].next = link.next;
  } else if (link.next != 0) {
    first_of_peer_[static_cast<std::uint32_t>(link.peer)] = link.next;
  } else {
    first_of_peer_.erase(static_cast<std::uint32_t>(link.peer));
  }
}

void SessionLinks::renew_later(SessionLink& link, Monotonic renew_at) {
  const Handle handle = handle_of(link);
  remove_renewal(handle);
  link.renew_at = renew_at;
  append_renewal(handle);
}

void SessionLinks::append_renewal(Handle handle) {
  SessionLink& link = links_[handle];
  ENSURE(last_ == 0 || links_[last_].renew_at <= link.renew_at);
  link.earlier = last_;
  link.later = 0;
  (last_ != 0 ? links_[last_].later : first_) = handle;
  last_ = handle;
}

void SessionLinks::remove_renewal(Handle handle) {
  const SessionLink& link = links_[handle];
  (link.earlier != 0 ? links_[link.earlier].later : first_) = link.later;
  (link.later != 0 ? links_[link.later].earlier : last_) = link.earlier;
}

}  // namespace cidbus
