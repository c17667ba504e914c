#include "worker/announcer.h"

#include <atomic>
#include <deque>
#include <semaphore>
#include <thread>
#include <utility>

#include "shared/io/mailbox.h"
#include "shared/store/block_key.h"

namespace cidbus {
namespace {

constexpr std::ptrdiff_t listed_ahead = 16;  // messages of a listing that wait to be sent

// What a thread says. `binding` is 0 for a change; a listing belongs to one, and what an earlier one still
// says is dropped.
struct Said {
  std::uint64_t binding = 0;
  Announce announce;
};

}  // namespace

struct Announcer::State {
  Mailbox<Said> mailbox;
  std::atomic<std::uint64_t> binding{1};  // grows with each bind and unbind; a listing of an older one ends
  bool bound = false;
  std::deque<Said> waiting;
  std::counting_semaphore<2 * listed_ahead> room{listed_ahead};
  std::thread listing;

  void list(BlockStore& store, std::uint64_t of_binding) {
    Said said{of_binding, {}};
    const auto push = [&] {
      room.acquire();
      mailbox.push(std::exchange(said, {of_binding, {}}));
    };
    const Status listed = store.for_each([&](const Multihash& multihash, ByteCount) {
      said.announce.added.push_back(block_key(multihash));
      if (said.announce.added.size() == limits::items_a_message) push();
      return binding == of_binding;
    });
    // A store that cannot be listed serves what it can; who finds no holder asks again.
    static_cast<void>(listed);
    if (!said.announce.added.empty()) push();
  }

  void stop_listing() {
    ++binding;
    if (!listing.joinable()) return;
    room.release();  // it may wait for room; once is enough, since it looks at the binding after each block
    room.release();
    listing.join();
  }

  void collect() {
    for (Said& said : mailbox.take_all()) {
      if (said.binding != 0 && said.binding != binding) continue;
      if (bound) waiting.push_back(std::move(said));
    }
  }
};

Announcer::Announcer() : state_(std::make_unique<State>()) {}
Announcer::~Announcer() { state_->stop_listing(); }

void Announcer::on_change(std::span<const BlockKey> added, std::span<const BlockKey> removed) {
  for (std::size_t at = 0; at < added.size() || at < removed.size(); at += limits::items_a_message) {
    const auto part = [at](std::span<const BlockKey> keys) {
      if (at >= keys.size()) return std::vector<BlockKey>{};
      const auto some = keys.subspan(at, std::min(limits::items_a_message, keys.size() - at));
      return std::vector<BlockKey>(some.begin(), some.end());
    };
    state_->mailbox.push({0, {false, part(added), part(removed)}});
  }
}

void Announcer::bind(BlockStore& store) {
  unbind();
  state_->bound = true;
  while (state_->room.try_acquire()) {
  }
  state_->room.release(listed_ahead);
  // Before anything else, so that a change which overtakes the listing is not forgotten with what was before.
  state_->waiting.push_back({0, {true, {}, {}}});
  const std::uint64_t binding = state_->binding;
  state_->listing = std::thread([state = state_.get(), &store, binding] { state->list(store, binding); });
}

void Announcer::unbind() {
  state_->stop_listing();
  state_->bound = false;
  state_->collect();
  state_->waiting.clear();
}

int Announcer::descriptor() const { return state_->mailbox.fd(); }

const Announce* Announcer::next() {
  state_->collect();
  return state_->waiting.empty() ? nullptr : &state_->waiting.front().announce;
}

void Announcer::sent() {
  if (state_->waiting.front().binding != 0) state_->room.release();
  state_->waiting.pop_front();
}

}  // namespace cidbus
