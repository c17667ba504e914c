#include "leecher/keeper.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "leecher/pin_list.h"
#include "shared/base/limits/leecher.h"
#include "shared/content/dag_walk.h"
#include "shared/io/clock.h"
#include "shared/io/mailbox.h"
#include "shared/store/block_key.h"

namespace cidbus {
namespace {

constexpr std::chrono::milliseconds look_every{1000};
constexpr Duration write_uses_every = std::chrono::minutes(1);
constexpr std::size_t key_bytes = sizeof(BlockKey::bytes);

std::string uses_path(const std::string& folder) { return folder + "/cache.uses"; }

void write_uses(const std::string& folder, const std::vector<BlockKey>& uses) {
  const std::string fresh = uses_path(folder) + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  for (const BlockKey& key : uses)
    file.write(reinterpret_cast<const char*>(key.bytes.data()), static_cast<std::streamsize>(key_bytes));
  file.close();
  std::error_code ignored;  // a hint, no more
  if (file) std::filesystem::rename(fresh, uses_path(folder), ignored);
}

}  // namespace

std::vector<BlockKey> read_uses(const std::string& folder) {
  std::vector<BlockKey> uses;
  std::ifstream file(uses_path(folder), std::ios::binary);
  BlockKey key;
  while (file.read(reinterpret_cast<char*>(key.bytes.data()), static_cast<std::streamsize>(key_bytes)))
    uses.push_back(key);
  return uses;
}

struct Keeper::State {
  State(std::string given_folder, LocalBlocks given_local, SourceFactory given_source,
        ResolveFactory given_resolve, const std::atomic<bool>& given_stop, Log& given_log)
      : folder(std::move(given_folder)),
        local(std::move(given_local)),
        make_source(std::move(given_source)),
        make_resolve(std::move(given_resolve)),
        stop(given_stop),
        log(given_log) {}

  // Walks what is here of every pin, and keeps that and nothing else.
  void keep_what_is_here() {
    OfflineBlocks here(local);
    std::vector<BlockKey> keys;
    std::vector<std::size_t> ends;  // of each pin's stretch of keys
    for (PinState& pin : pins) {
      walk(pin, [&](const Cid& root) {
        return walk_cids(here, root, [&](const Cid& cid) -> Status {
          const auto size = local.cache.size_of(block_key(cid));
          if (!size) return fault(FaultKind::Unavailable, "not all of it has been fetched yet");
          keys.push_back(block_key(cid));
          ++pin.blocks;
          pin.bytes += *size;
          return {};
        });
      });
      ends.push_back(keys.size());
    }
    local.cache.keep_only(keys);
    // What was evicted meanwhile is fetched again.
    for (std::size_t place = 0, first = 0; place < pins.size(); first = ends[place++]) {
      for (std::size_t key = first; key < ends[place]; ++key)
        pins[place].whole = pins[place].whole && local.cache.has(keys[key]);
    }
  }

  // Counts the pin anew by what `walk_root` does for each CID of it.
  template <typename WalkRoot>
  void walk(PinState& pin, WalkRoot&& walk_root) {
    pin.blocks = pin.bytes = 0;
    pin.whole = !pin.cids.empty();
    pin.trouble = pin.cids.empty() ? pin.missing : "";
    for (const Cid& cid : pin.cids) {
      const Status walked = walk_root(cid);
      if (walked) continue;
      pin.whole = false;
      pin.trouble = walked.error().message;
    }
  }

  void complete(PinState& pin) {
    walk(pin, [&](const Cid& root) {
      return walk_blocks(*source, root, [&](const Block& block) -> Status {
        if (stop) return fault(FaultKind::Unavailable, "stopping");
        const BlockKey key = block_key(block.cid());
        if (!local.cache.has(key)) {
          if (Status put = to_status(local.cache.put({&block, 1})); !put) return put;
        }
        local.cache.keep({&key, 1});
        ++pin.blocks;
        pin.bytes += block.bytes().size();
        return {};
      });
    });
    tell();
  }

  void set_pins(const std::vector<Pin>& wanted) {
    pins.clear();
    for (const Pin& pin : wanted) {
      PinState state;
      state.pin = pin;
      if (!pin.cid.is_null()) state.cids.push_back(pin.cid);
      if (const auto found = known.find(pin.text); found != known.end()) state.cids = found->second;
      pins.push_back(std::move(state));
    }
    keep_what_is_here();
    tell();
  }

  void look_at_list() {
    const auto wanted = read_pins(folder);
    if (wanted && *wanted != list()) {
      set_pins(*wanted);
      retry_at = {};
    } else if (!wanted && wanted.error().message != list_trouble) {
      list_trouble = wanted.error().message;
      log.warning(list_trouble + "; what was pinned before stays so");
    }
  }

  // Names and tags may stand for other content by now; what they stood for is let go then.
  void resolve_names() {
    bool changed = false;
    for (PinState& pin : pins) {
      if (!pin.pin.cid.is_null() || stop) continue;
      auto cids = resolve(pin.pin);
      const bool gone = !cids && cids.error().kind == FaultKind::NotFound;
      if (!cids && !gone) break;  // nobody answers; the others are asked next time too
      std::vector<Cid> now = cids ? *std::move(cids) : std::vector<Cid>();
      if (now != pin.cids) {
        pin.cids = std::move(now);
        changed = true;
      }
      if (gone && pin.missing != cids.error().message) {
        pin.missing = cids.error().message;
        changed = true;
      }
    }
    if (!changed) return;
    known.clear();
    for (const PinState& pin : pins) {
      if (pin.pin.cid.is_null() && !pin.cids.empty()) known[pin.pin.text] = pin.cids;
    }
    const Status written = write_known_pins(folder, known);
    if (!written) log.warning("what pins stand for cannot be written down: " + written.error().message);
    keep_what_is_here();
    tell();
  }

  void look() {
    look_at_list();
    if (!local.online || read_clock().monotonic < retry_at) return;
    resolve_names();
    for (PinState& pin : pins) {
      if (!pin.whole && !pin.cids.empty() && !stop) complete(pin);
    }
    retry_at = read_clock().monotonic + limits::pin_retry;
  }

  void work() {
    source = make_source();
    resolve = make_resolve();
    Monotonic write_at = read_clock().monotonic + write_uses_every;
    while (!stop) {
      look();
      if (read_clock().monotonic >= write_at) {
        write_uses(folder, local.cache.uses());
        write_at = read_clock().monotonic + write_uses_every;
      }
      begin.wait(look_every);
      if (!begin.take_all().empty()) retry_at = {};
    }
    write_uses(folder, local.cache.uses());
  }

  void tell() { states.push(pins); }
  [[nodiscard]] std::vector<Pin> list() const {
    std::vector<Pin> all;
    for (const PinState& pin : pins) all.push_back(pin.pin);
    return all;
  }

  const std::string folder;
  const LocalBlocks local;
  const SourceFactory make_source;
  const ResolveFactory make_resolve;
  const std::atomic<bool>& stop;
  Log& log;
  std::vector<PinState> pins;  // the thread's, once it runs
  KnownPins known;             // what names and tags stood for last
  std::unique_ptr<BlockSource> source;
  Resolve resolve;
  Monotonic retry_at{};
  std::string list_trouble;
  Mailbox<bool> begin;
  Mailbox<std::vector<PinState>> states;
  std::vector<PinState> told;  // the owner's
  std::thread thread;
};

Keeper::Keeper(std::unique_ptr<State> state) : state_(std::move(state)) {}

Keeper::~Keeper() {
  state_->begin.push(true);
  state_->thread.join();
}

Result<std::unique_ptr<Keeper>> Keeper::start(std::string folder, LocalBlocks local,
                                              SourceFactory make_source, ResolveFactory make_resolve,
                                              const std::atomic<bool>& stop, Log& log) {
  const auto pins = read_pins(folder);
  if (!pins) return tl::unexpected(pins.error());
  auto state = std::make_unique<State>(std::move(folder), std::move(local), std::move(make_source),
                                       std::move(make_resolve), stop, log);
  state->known = read_known_pins(state->folder);
  state->set_pins(*pins);
  State* const running = state.get();
  state->thread = std::thread([running] { running->work(); });
  return std::unique_ptr<Keeper>(new Keeper(std::move(state)));
}

void Keeper::begin() { state_->begin.push(true); }
int Keeper::descriptor() const { return state_->states.fd(); }
const std::vector<PinState>& Keeper::take_states() {
  for (auto& states : state_->states.take_all()) state_->told = std::move(states);
  return state_->told;
}

}  // namespace cidbus
