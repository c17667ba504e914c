// The client sessions that speak to this leader now: through whom, how far results were pushed, what is on
// its way.
//
// A link is made by the first message of a session and goes with its connection or its session; what must
// survive either is in the replicated state.
//
// Invariants
//  1. A session has at most one link; the connection that spoke for it last has it.
//  2. `pushed` is at or above what is acknowledged, and at or below the session's last result.
//
// Thread rule: one owner. Limits: limits::sessions links.
#pragma once

#include <unordered_map>
#include <vector>

#include "broker/tasks/output.h"
#include "broker/tasks/slots.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/time.h"

namespace cidbus {

struct SessionLink {
  SessionId id;
  std::uint32_t serial = 0;  // tells the links of one handle apart
  Peer peer = Peer::Nobody;
  SessionHandle session = 0;         // 0: the state does not know it (yet)
  bool opening = false;              // its SESSION_OPEN is on its way
  std::uint32_t unanswered = 0;      // submissions on their way
  std::uint64_t pushed = 0;          // results up to this rseq were sent to the peer
  ClaimHandle last = 0;              // the claim of `pushed`, to go on from; 0: look for it
  std::uint64_t acknowledged = 0;    // the highest cursor the client said
  std::uint64_t proposed = 0;        // the highest that is in a record
  std::uint64_t bytes_out = 0;       // about what was pushed and not acknowledged
  bool results_due = false;          // listed for pushing
  bool acknowledgement_due = false;  // listed for a record
  std::uint32_t accepted_first = 0;  // this turn's answers, as places in the service's list; 0: none
  std::uint32_t accepted_last = 0;
  Monotonic renew_at;  // when to look whether the session needs a record of contact
  Handle earlier = 0;  // by renew_at
  Handle later = 0;
  Handle previous = 0;  // of the peer
  Handle next = 0;
};

// A link that may be gone by the time it is looked at.
struct LinkRef {
  Handle handle = 0;
  std::uint32_t serial = 0;
};

class SessionLinks {
 public:
  // Null when there is none.
  [[nodiscard]] SessionLink* find(const SessionId& id);
  [[nodiscard]] SessionLink* find(SessionHandle session);
  [[nodiscard]] SessionLink* get(LinkRef ref);
  [[nodiscard]] LinkRef ref_of(const SessionLink& link) const;
  [[nodiscard]] std::size_t size() const { return links_.size(); }

  // REQUIRES: the session has no link.
  SessionLink& add(const SessionId& id, Peer peer, Monotonic renew_at);
  // The session speaks through another connection now: everything not acknowledged will be pushed again.
  void move(SessionLink& link, Peer peer);
  void set_session(SessionLink& link, SessionHandle session);
  void remove(SessionLink& link);
  void remove_all_of(Peer peer);

  // The one to look at first; null when there is none.
  [[nodiscard]] SessionLink* first_to_renew() { return first_ == 0 ? nullptr : &links_[first_]; }
  // REQUIRES: no link has a later time.
  void renew_later(SessionLink& link, Monotonic renew_at);

 private:
  [[nodiscard]] Handle handle_of(const SessionLink& link) const { return by_id_.at(link.id); }
  void attach(Handle handle, Peer peer);
  void detach(Handle handle);
  void append_renewal(Handle handle);
  void remove_renewal(Handle handle);

  Slab<SessionLink> links_;
  std::unordered_map<SessionId, Handle> by_id_;
  std::unordered_map<std::uint32_t, Handle> first_of_peer_;
  std::vector<Handle> by_session_;  // by session handle
  std::uint32_t last_serial_ = 0;
  Handle first_ = 0;  // by renew_at
  Handle last_ = 0;
};

}  // namespace cidbus
