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
        const std::atomic<bool>& given_stop, Log& given_log)
      : folder(std::move(given_folder)),
        local(std::move(given_local)),
        make_source(std::move(given_source)),
        stop(given_stop),
        log(given_log) {}

  // Walks what is here of every pin, and keeps that and nothing else.
  void keep_what_is_here() {
    OfflineBlocks here(local);
    std::vector<BlockKey> keys;
    std::vector<std::size_t> ends;  // of each pin's stretch of keys
    for (PinState& pin : pins) {
      pin.blocks = pin.bytes = 0;
      const Status walked = walk_cids(here, pin.cid, [&](const Cid& cid) -> Status {
        const auto size = local.cache.size_of(block_key(cid));
        if (!size) return fault(FaultKind::Unavailable, "not all of it has been fetched yet");
        keys.push_back(block_key(cid));
        ++pin.blocks;
        pin.bytes += *size;
        return {};
      });
      pin.whole = walked.has_value();
      pin.trouble = walked ? "" : walked.error().message;
      ends.push_back(keys.size());
    }
    local.cache.keep_only(keys);
    // What was evicted meanwhile is fetched again.
    for (std::size_t place = 0, first = 0; place < pins.size(); first = ends[place++]) {
      for (std::size_t key = first; key < ends[place]; ++key)
        pins[place].whole = pins[place].whole && local.cache.has(keys[key]);
    }
  }

  void complete(PinState& pin) {
    pin.blocks = pin.bytes = 0;
    const Status walked = walk_blocks(*source, pin.cid, [&](const Block& block) -> Status {
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
    pin.whole = walked.has_value();
    pin.trouble = walked ? "" : walked.error().message;
    tell();
  }

  void look() {
    if (auto wanted = read_pins(folder); wanted && *wanted != cids()) {
      pins.clear();
      for (const Cid& cid : *wanted) pins.push_back({cid, false, 0, 0, {}});
      keep_what_is_here();
      tell();
      retry_at = {};
    } else if (!wanted && wanted.error().message != list_trouble) {
      list_trouble = wanted.error().message;
      log.warning(list_trouble + "; what was pinned before stays so");
    }
    const Monotonic now = read_clock().monotonic;
    const bool due = local.online && now >= retry_at;
    if (!due) return;
    for (PinState& pin : pins) {
      if (!pin.whole && !stop) complete(pin);
    }
    retry_at = read_clock().monotonic + limits::pin_retry;
  }

  void work() {
    source = make_source();
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
  [[nodiscard]] std::vector<Cid> cids() const {
    std::vector<Cid> all;
    for (const PinState& pin : pins) all.push_back(pin.cid);
    return all;
  }

  const std::string folder;
  const LocalBlocks local;
  const SourceFactory make_source;
  const std::atomic<bool>& stop;
  Log& log;
  std::vector<PinState> pins;  // the thread's, once it runs
  std::unique_ptr<BlockSource> source;
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
                                              SourceFactory make_source, const std::atomic<bool>& stop,
                                              Log& log) {
  const auto pins = read_pins(folder);
  if (!pins) return tl::unexpected(pins.error());
  auto state =
      std::make_unique<State>(std::move(folder), std::move(local), std::move(make_source), stop, log);
  for (const Cid& cid : *pins) state->pins.push_back({cid, false, 0, 0, {}});
  state->keep_what_is_here();
  state->tell();
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
