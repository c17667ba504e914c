// Submissions on their way through the journal: proposed, not yet applied.
//
// By their idempotency keys as well: what is on its way is not in the state yet, and whoever comes with the
// same key and another request has to be told all the same. A key is kept as long as the last submission with
// it is on its way, since the leader lets no other request under it in before that.
//
// Thread rule: one owner. Limits: ServiceLimits::submissions and submission_bytes, which the owner keeps.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/tasks/fifo.h"
#include "broker/tasks/output.h"
#include "broker/tasks/session_links.h"

namespace cidbus {

struct SubmissionOnTheWay {
  LogIndex index;
  LinkRef link;
  Peer peer = Peer::Nobody;
  std::uint32_t bytes = 0;
};

class SubmissionsOnTheWay {
 public:
  // `asked` is a hash of the request; `key` may be empty. REQUIRES: its index is above all before.
  void push(const SubmissionOnTheWay& submission, std::string_view key, std::uint64_t asked) {
    all_.push(submission);
    bytes_ += submission.bytes;
    if (key.empty()) return;
    const auto entry = keys_.insert_or_assign(std::string(key), Keyed{submission.index, asked}).first;
    keyed_.push({submission.index, entry});
  }

  // REQUIRES: not empty, for both.
  [[nodiscard]] const SubmissionOnTheWay& front() { return all_.front(); }
  void pop() {
    const LogIndex index = all_.front().index;
    bytes_ -= all_.front().bytes;
    all_.pop();
    if (keyed_.empty() || keyed_.front().first != index) return;
    const auto entry = keyed_.front().second;
    keyed_.pop();
    if (entry->second.last == index) keys_.erase(entry);
  }

  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of `work`

  // The hash of what is asked under this key; nothing when none with it is on its way.
  [[nodiscard]] std::optional<std::uint64_t> asked_under(std::string_view key) const {
    const auto entry = keys_.find(key);
    return entry == keys_.end() ? std::nullopt : std::optional(entry->second.asked);
  }

 private:
  struct Keyed {
    LogIndex last;  // the newest submission with the key
    std::uint64_t asked = 0;
  };
  using Keys = std::map<std::string, Keyed, std::less<>>;

  Fifo<SubmissionOnTheWay> all_;
  std::uint64_t bytes_ = 0;
  Keys keys_;
  Fifo<std::pair<LogIndex, Keys::iterator>> keyed_;  // those of all_ with a key
};

}  // namespace cidbus
