#include "gateway/routes/conditions.h"

#include <algorithm>
#include <limits>

#include "shared/base/http_message.h"

namespace cidbus {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view without_weakness(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

// Whether a list of entity tags names this one. Tags may hold commas, so quotes are followed.
bool lists_tag(std::string_view list, std::string_view etag, bool weakly) {
  while (!(list = trimmed(list)).empty()) {
    if (list.front() == ',') {
      list.remove_prefix(1);
      continue;
    }
    if (list.front() == '*') return true;
    const std::size_t quote = list.starts_with("W/") ? 2 : 0;
    if (quote >= list.size() || list[quote] != '"') return false;
    const auto end = list.find('"', quote + 1);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = list.substr(0, end + 1);
    const bool strong = quote == 0 && !etag.starts_with("W/");
    if ((weakly || strong) && without_weakness(tag) == without_weakness(etag)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

// A number that is too big for the type is as good as the biggest: it lies behind any content.
std::optional<ByteCount> parse_position(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  constexpr ByteCount most = std::numeric_limits<ByteCount>::max();
  ByteCount value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<ByteCount>(c - '0');
    value = value > (most - digit) / 10 ? most : value * 10 + digit;
  }
  return value;
}

enum class SpecVerdict { Good, BehindTheEnd, Malformed };

SpecVerdict parse_spec(std::string_view spec, ByteCount size, HttpRange& range) {
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return SpecVerdict::Malformed;
  const std::string_view front = trimmed(spec.substr(0, dash));
  const std::string_view back = trimmed(spec.substr(dash + 1));
  const auto last = parse_position(back);
  if (!back.empty() && !last) return SpecVerdict::Malformed;
  if (front.empty()) {  // the last so many bytes
    if (!last) return SpecVerdict::Malformed;
    if (*last == 0) return SpecVerdict::BehindTheEnd;
    range = {*last >= size ? 0 : size - *last, size - 1};
    return SpecVerdict::Good;
  }
  const auto first = parse_position(front);
  if (!first || (last && *last < *first)) return SpecVerdict::Malformed;
  if (*first >= size) return SpecVerdict::BehindTheEnd;
  range = {*first, std::min(last.value_or(size - 1), size - 1)};
  return SpecVerdict::Good;
}

}  // namespace

Precondition judge_preconditions(const Conditions& conditions, std::string_view etag) {
  if (!conditions.if_match.empty() && !lists_tag(conditions.if_match, etag, false)) {
    return Precondition::Failed;
  }
  if (!conditions.if_none_match.empty() && lists_tag(conditions.if_none_match, etag, true)) {
    return Precondition::NotModified;
  }
  return Precondition::Holds;
}

RangeVerdict judge_range(const Conditions& conditions, std::string_view etag, ByteCount size) {
  std::string_view rest = trimmed(conditions.range);
  constexpr std::string_view unit = "bytes=";
  if (rest.size() < unit.size() || !equal_ignoring_case(rest.substr(0, unit.size()), unit)) return {};
  // A date in If-Range never matches: content-addressed data has none.
  if (!conditions.if_range.empty() && trimmed(conditions.if_range) != etag) return {};
  rest.remove_prefix(unit.size());
  std::vector<HttpRange> ranges;
  std::size_t specs = 0;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string_view spec = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (spec.empty()) continue;
    if (++specs > limits::http_ranges) return {};
    // The last bytes of nothing are the whole of it, which no Content-Range can say.
    if (size == 0 && spec.front() == '-' && spec != "-0" && parse_position(trimmed(spec.substr(1))))
      return {};
    HttpRange range;
    const SpecVerdict verdict = parse_spec(spec, size, range);
    if (verdict == SpecVerdict::Malformed) return {};
    if (verdict == SpecVerdict::Good) ranges.push_back(range);
  }
  if (specs == 0) return {};
  if (ranges.empty()) return Unsatisfiable{};
  // Ranges that together are more than the content itself are cheaper, and safer, as the whole.
  ByteCount asked = 0;
  for (const HttpRange& range : ranges) asked += range.length();
  if (ranges.size() > 1 && asked > size) return {};
  return ranges;
}

}  // namespace cidbus
