// What a client asks of a response beside its content: preconditions and ranges (RFC 9110, sections 13, 14).
//
// Thread rule: functions of their arguments. Limits: limits::http_ranges in a request; of more, the whole
// content is sent, as section 14.2 allows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/http.h"

namespace cidbus {

// As they came; empty when the request has none.
struct Conditions {
  std::string if_match;
  std::string if_none_match;
  std::string if_range;
  std::string range;
};

enum class Precondition { Holds, NotModified, Failed };
// `etag` as it is sent, quotes included. If-Match compares strongly, If-None-Match weakly.
Precondition judge_preconditions(const Conditions& conditions, std::string_view etag);

// Inclusive on both ends, as HTTP counts. Invariant: first <= last < size of the content.
struct HttpRange {
  ByteCount first = 0;
  ByteCount last = 0;
  [[nodiscard]] ByteCount length() const { return last - first + 1; }
  friend bool operator==(const HttpRange&, const HttpRange&) = default;
};

struct Unsatisfiable {};
// Nothing: the whole content, because no range was asked for, or in a way that is to be ignored. Otherwise
// what to send, in the order asked, at least one range.
using RangeVerdict = std::variant<std::monostate, Unsatisfiable, std::vector<HttpRange>>;
RangeVerdict judge_range(const Conditions& conditions, std::string_view etag, ByteCount size);

}  // namespace cidbus
