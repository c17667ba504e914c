// Answers over HTTP that have no end: where one stops. What limits are for: README.md, here.
#pragma once

namespace cidbus::limits {

inline constexpr int http_stream_bytes = 256 << 10;  // that the system holds for a client; Linux doubles it

}  // namespace cidbus::limits
