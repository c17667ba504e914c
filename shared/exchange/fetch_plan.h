// Decides from whom to ask which block next: the fetching side of the exchange, without its sockets.
//
// A wanted block is first located (by the index), then asked of one holder at a time: the one with least
// under way. Missing, busy, wrong bytes, silence or a lost connection send it to the next holder; when none
// is left it is located again, with growing pauses, for as long as somebody waits for it. A hint is given up
// instead.
//
// Invariants
//  1. At most limits::fetch_bytes are under way in all, limits::fetch_peer_bytes and _blocks from one
//     peer, by the sizes that blocks had so far; one block may always be under way.
//  2. A peer that sent wrong bytes is not asked again for a minute.
//  3. Every wanted block is to be located, waits for a moment that deadline() names, or is under way.
//
// Pure: `now` is an argument. Thread rule: one owner. Limits: limits::fetch_wants; hints beyond are not
// taken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/limits/exchange.h"
#include "shared/base/limits/times.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/content/cid.h"
#include "shared/exchange/peer_id.h"

namespace cidbus {

class FetchPlan {
 public:
  enum class Urgency : std::uint8_t {
    Waited,  // somebody waits; asked before hints
    Hint,
  };
  struct Request {
    PeerId peer;
    std::vector<Cid> cids;
  };

  explicit FetchPlan(Duration silence = limits::provider_silence) : silence_(silence) {}

  // Wanted twice is wanted once, with the greater urgency. False when there is no room for a hint.
  bool want(const Cid& cid, Urgency urgency);
  void forget(const Cid& cid);
  [[nodiscard]] bool wants(const Cid& cid) const { return places_.contains(cid.multihash()); }
  [[nodiscard]] std::size_t size() const { return wants_.size(); }

  // What the index is to be asked now; each counts as asked until located() or not_located().
  std::vector<Cid> take_to_locate(Monotonic now);
  void located(Monotonic now, const Cid& cid, std::vector<PeerId> holders);
  void not_located(Monotonic now, const Cid& cid);

  // What to ask of whom now; each counts as asked. A request that could not be sent comes back by
  // on_unsent().
  std::vector<Request> take_requests(Monotonic now);
  void on_unsent(Monotonic now, const Request& request);

  // What peers said. on_block: its bytes are right, and it is wanted no longer.
  void on_connected(Monotonic now, PeerId peer);
  void on_lost(Monotonic now, PeerId peer);
  void on_block(Monotonic now, PeerId peer, const Cid& cid, ByteCount bytes);
  void on_wrong_block(Monotonic now, PeerId peer, const Cid& cid);
  void on_missing(Monotonic now, PeerId peer, const Cid& cid);
  void on_busy(Monotonic now, PeerId peer, const Cid& cid);
  // It speaks another version, or belongs to another cluster: as if it had sent wrong bytes.
  void on_refused(Monotonic now, PeerId peer);

  // Lets time pass: silent peers lose what was asked of them.
  void pass_time(Monotonic now);
  // When time alone changes something next.
  [[nodiscard]] std::optional<Monotonic> deadline() const;

  // Why a block is not here yet. REQUIRES: wants(cid)
  struct Trouble {
    bool located = false;         // a node is said to hold it, and does not deny it
    std::vector<PeerId> wrong;    // sent other bytes
    std::vector<PeerId> silent;   // could not be reached, or said nothing
    std::vector<PeerId> missing;  // said that they do not have it
  };
  [[nodiscard]] const Trouble& trouble(const Cid& cid) const;

  [[nodiscard]] ByteCount bytes_under_way() const { return bytes_under_way_; }

 private:
  enum class Stage : std::uint8_t { ToLocate, Locating, Located, Asked };
  struct Want {
    Cid cid;
    Stage stage = Stage::ToLocate;
    Monotonic locate_at{};        // ToLocate: not before
    Duration locate_pause{};      // before the next time after that
    std::vector<PeerId> holders;  // not yet tried since they were located
    PeerId asked{};               // Asked: of whom
    ByteCount expected = 0;       // Asked: bytes counted as under way
    Trouble trouble;
  };
  // Waited ones first, then as they came.
  using Place = std::pair<Urgency, std::uint64_t>;
  struct Peer {
    bool connected = false;
    std::optional<Monotonic> distrusted_until;
    Monotonic heard{};  // or when it was asked after it had nothing to say, if that is later
    std::optional<Monotonic> not_before;  // it was busy or silent
    std::optional<Monotonic> connect_by;  // it is not connected, and this long somebody hopes
    ByteCount bytes = 0;                  // under way
    std::size_t blocks = 0;
  };

  using Wants = std::map<Place, Want>;

  [[nodiscard]] bool may_ask(Monotonic now, PeerId peer) const;
  [[nodiscard]] std::optional<PeerId> choose(Monotonic now, const Want& want) const;
  void ask(Monotonic now, Want& want, PeerId peer);
  void end_asking(Want& want);
  // The want that was asked of this peer, ended; nothing when the peer speaks of what it was not asked.
  Wants::iterator take_asked(PeerId peer, const Cid& cid);
  // Both may erase the want; they return the next one.
  Wants::iterator try_next(Monotonic now, Wants::iterator at);
  Wants::iterator locate_later(Monotonic now, Wants::iterator at);
  Wants::iterator erase(Wants::iterator at);
  // Takes everything from a peer, and the peer from everything.
  void drop_peer(Monotonic now, PeerId peer, std::vector<PeerId> Trouble::*how);

  Duration silence_;
  Wants wants_;
  std::unordered_map<Multihash, Place> places_;  // one for each of wants_
  std::map<PeerId, Peer> peers_;
  std::uint64_t last_number_ = 0;
  ByteCount bytes_under_way_ = 0;
  ByteCount typical_bytes_ = 256 << 10;  // of a block, by those that came lately
};

}  // namespace cidbus
