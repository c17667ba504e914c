// Keeps a leecher's cache: what is pinned whole and unevicted, and the order of use over a restart.
//
// It looks once a second whether the list of pins has changed. While a broker is there it asks what their
// names and tags stand for now, every limits::pin_retry, and fetches what is missing; and it writes the order
// in which blocks were used down once a minute and at the end. That order is not worth a sync: without it,
// the cache is merely cleared in another order.
//
// An actor. Thread rule: the owner's; a thread of its own inside. Limits: limits::pins_a_leecher; 16 bytes a
// pinned block while it looks.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "leecher/local_blocks.h"
#include "leecher/pin_list.h"
#include "shared/io/log.h"

namespace cidbus {

struct PinState {
  Pin pin;
  std::vector<Cid> cids;  // what it stands for, as far as it is known
  bool whole = false;
  std::uint64_t blocks = 0;  // of it that are here, as far as it is known
  ByteCount bytes = 0;
  std::string missing = "what it stands for is not known yet";  // while there is nothing it stands for
  std::string trouble;  // why it is not whole; empty while nothing went wrong
};

// What was used when, as it was last written down; nothing when there is no such file.
std::vector<BlockKey> read_uses(const std::string& folder);

class Keeper {
 public:
  using SourceFactory = std::function<std::unique_ptr<BlockSource>()>;
  // What a name or a tag stands for; NotFound for nothing.
  using Resolve = std::function<Result<std::vector<Cid>>(const Pin&)>;
  // Both are made and used in the keeper's thread.
  using ResolveFactory = std::function<Resolve()>;

  // Keeps what is here of the pinned subset before it returns, so that the cache may be trimmed after it.
  // BadData for a list of pins that makes no sense. REQUIRES: stop, log and what `local` refers to outlive
  // it.
  static Result<std::unique_ptr<Keeper>> start(std::string folder, LocalBlocks local,
                                               SourceFactory make_source, ResolveFactory make_resolve,
                                               const std::atomic<bool>& stop, Log& log);
  // REQUIRES: stop is true.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // A leader is there: pins that are not whole are tried at once.
  void begin();
  // Readable when take_states() has news.
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] const std::vector<PinState>& take_states();

 private:
  struct State;
  explicit Keeper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
