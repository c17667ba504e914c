#include "leecher/hand_in.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t one_at_a_time = 1;

SessionSettings hand_in_settings() {
  SessionSettings settings;
  settings.await_results = false;  // the desk asks for those that somebody waits for
  settings.retry_exhausted = true;
  return settings;
}

}  // namespace

HandIn::HandIn(Outbox& outbox, Desk& desk, DeskOutput& output)
    : outbox_(outbox), desk_(desk), output_(output), core_(random_session(), hand_in_settings(), *this) {}

void HandIn::on_bound(Now now) {
  now_ = now;
  core_.on_bound(now.monotonic, one_at_a_time);
}

bool HandIn::on_message(Now now, const Message& message) {
  now_ = now;
  return core_.on_message(now.monotonic, message);
}

Monotonic HandIn::end_turn(Now now, bool held_back) {
  now_ = now;
  while (!held_back && item_ == TaskId{} && begin_next()) continue;
  return core_.tick(now.monotonic);
}

// False when there is none, or when one is on its way now.
bool HandIn::begin_next() {
  item_ = desk_.begin_hand_in();
  if (item_ == TaskId{}) return false;
  const Outbox::Item& item = *outbox_.find(item_);
  TaskOptions options = item.options;
  options.key = item.key;
  const milliseconds waited = std::max(now_.wall - item.queued_at, milliseconds(0));
  if (options.deadline > milliseconds(0)) {
    if (options.deadline <= waited) {
      desk_.refused(now_, std::exchange(item_, {}), Refusal::Exhausted,
                    "its deadline passed while it waited in the outbox");
      return true;
    }
    options.deadline -= waited;
  }
  options.delay = std::max(options.delay - waited, milliseconds(0));
  core_.submit(item.type, options, item.work);
  return false;
}

void HandIn::accepted(Ticket, TaskId task, bool) {
  trouble_.clear();
  desk_.handed_in(now_, std::exchange(item_, {}), task);
}

void HandIn::rejected(Ticket, Refusal why, std::string_view reason, milliseconds) {
  trouble_.clear();
  desk_.refused(now_, std::exchange(item_, {}), why, reason);
}

void HandIn::unknown(Ticket ticket, TaskId) {
  ENSURE(false, "every item has a key, so none is ever in doubt; ticket", ticket.value);
}

SessionId HandIn::new_session() { return random_session(); }

}  // namespace cidbus
