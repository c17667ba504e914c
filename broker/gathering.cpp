#include "broker/gathering.h"

#include <algorithm>
#include <utility>

namespace cidbus {

LogIndex Gathering::append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload,
                           Urgency urgency) {
  if (!builder_.has_room(payload.size())) seal();
  time_ = std::max(time_, now.wall);
  if (urgency == Urgency::Now) urgent_ = true;
  if (!since_) since_ = now.monotonic;
  return builder_.append(type, version, time_, payload);
}

void Gathering::seal() {
  full_.push_back(builder_.seal());
  full_bytes_ += full_.back()->size();
  urgent_ = false;
  since_.reset();
}

std::vector<BatchBytes> Gathering::take() {
  if (!builder_.empty()) seal();
  full_bytes_ = 0;
  return std::exchange(full_, {});
}

std::optional<Monotonic> Gathering::deadline() const {
  if (builder_.empty()) return std::nullopt;
  return urgent_ ? *since_ : *since_ + limits::lazy_records;
}

}  // namespace cidbus
