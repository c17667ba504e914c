#include "client/submissions.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/promises.h"

namespace cidbus {

namespace {
// Framing, options and numbers of one item in a Submit: a generous guess, to keep batches below their bound.
constexpr std::size_t item_overhead_bytes = 128;
constexpr std::size_t spare_most = 4096;        // bodies kept to be used again
constexpr std::size_t spare_bytes_most = 1024;  // of work in each
}  // namespace

std::size_t Submissions::Body::bytes() const {
  return type.size() + key.size() + work.size() + item_overhead_bytes;
}

Ticket Submissions::add(std::string_view type, const TaskOptions& options, ByteView work) {
  auto body = make_body();
  body->type = type;
  body->key = options.key;
  body->options = options;
  body->options.key = body->key;
  body->work.assign(work.begin(), work.end());
  const Ticket ticket{++last_ticket_};
  append({ticket, TaskId{}, std::move(body)});
  return ticket;
}

std::unique_ptr<Submissions::Body> Submissions::make_body() {
  if (spare_.empty()) return std::make_unique<Body>();
  auto body = std::move(spare_.back());
  spare_.pop_back();
  return body;
}

void Submissions::put_away(std::unique_ptr<Body> body) {
  if (spare_.size() < spare_most && body->work.capacity() <= spare_bytes_most)
    spare_.push_back(std::move(body));
}

void Submissions::append(Entry entry) {
  unanswered_ += 1;
  unanswered_bytes_ += entry.body->bytes();
  entries_.push_back(std::move(entry));
}

Submissions::Entry* Submissions::find(std::uint64_t seq) {
  if (seq < first_ || seq >= end()) return nullptr;
  return &entries_[seq - first_];
}

std::vector<SubmitItem> Submissions::take(std::size_t count, std::size_t byte_budget) {
  std::vector<SubmitItem> items;
  std::size_t bytes = 0;
  const std::uint64_t stop = std::min(end(), low_water_ + limits::session_window);
  if (send_from_ < stop) items.reserve(std::min<std::size_t>(count, stop - send_from_));
  for (; send_from_ < stop && items.size() < count; ++send_from_) {
    Entry& entry = entries_[send_from_ - first_];
    if (entry.state != State::Waiting) continue;
    const Body& body = *entry.body;
    if (!items.empty() && bytes + body.bytes() > byte_budget) break;
    bytes += body.bytes();
    items.push_back({send_from_, body.type, body.options, body.work});
    entry.state = State::InFlight;
    entry.sent = true;
    ++in_flight_;
  }
  return items;
}

// Leaves Waiting or InFlight for good.
void Submissions::settle(Entry& entry, State state) {
  ENSURE(is_unanswered(entry), "ticket", entry.ticket.value);
  if (entry.state == State::InFlight) --in_flight_;
  --unanswered_;
  unanswered_bytes_ -= entry.body->bytes();
  put_away(std::exchange(entry.body, nullptr));
  entry.state = state;
  while (low_water_ < end() && !is_unanswered(entries_[low_water_ - first_])) ++low_water_;
}

void Submissions::accept(Entry& entry, TaskId task, bool result_follows) {
  entry.task = task;
  settle(entry, result_follows ? State::Accepted : State::Done);
  if (result_follows) ++accepted_;
  trim();
}

void Submissions::refuse(Entry& entry) {
  settle(entry, State::Done);
  trim();
}

void Submissions::put_back(std::uint64_t seq, Entry& entry) {
  ENSURE(is_unanswered(entry), "ticket", entry.ticket.value);
  if (entry.state == State::InFlight) --in_flight_;
  entry.state = State::Waiting;
  send_from_ = std::min(send_from_, seq);
}

void Submissions::finish(Entry& entry) {
  ENSURE(entry.state == State::Accepted, "ticket", entry.ticket.value);
  entry.state = State::Done;
  --accepted_;
  trim();
}

void Submissions::trim() {
  while (!entries_.empty() && entries_.front().state == State::Done) {
    entries_.pop_front();
    ++first_;
  }
  send_from_ = std::max(send_from_, first_);
}

void Submissions::recall() {
  for (std::uint64_t seq = low_water_; in_flight_ > 0 && seq < end(); ++seq) {
    Entry& entry = entries_[seq - first_];
    if (entry.state != State::InFlight) continue;
    entry.state = State::Waiting;
    --in_flight_;
  }
  send_from_ = low_water_;
}

std::vector<Ticket> Submissions::give_up_doubtful() {
  std::vector<Ticket> given_up;
  if (!keeps(Promise::ResendIdentity)) return given_up;
  for (std::uint64_t seq = low_water_; seq < end(); ++seq) {
    Entry& entry = entries_[seq - first_];
    if (!is_unanswered(entry) || !entry.sent || !entry.body->key.empty()) continue;
    given_up.push_back(entry.ticket);
    settle(entry, State::Done);
  }
  trim();
  return given_up;
}

std::vector<std::pair<TaskId, Ticket>> Submissions::renew() {
  std::deque<Entry> old = std::move(entries_);
  const std::uint64_t last_ticket = last_ticket_;
  *this = Submissions();
  last_ticket_ = last_ticket;
  std::vector<std::pair<TaskId, Ticket>> owed;
  for (Entry& entry : old) {
    if (entry.state == State::Accepted) owed.emplace_back(entry.task, entry.ticket);
    if (!is_unanswered(entry)) continue;
    entry.state = State::Waiting;
    entry.sent = false;
    append(std::move(entry));
  }
  return owed;
}

}  // namespace cidbus
