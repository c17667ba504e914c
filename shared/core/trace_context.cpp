#include "shared/core/trace_context.h"

#include <algorithm>
#include <bit>

#include "shared/base/ensure.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

constexpr std::size_t trace_at = 3, trace_digits = 32;
constexpr std::size_t parent_at = 36, parent_digits = 16;
constexpr std::size_t flags_at = 53;
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_hex(std::string_view text) { return text.find_first_not_of(hex_digits) == std::string_view::npos; }
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// Of this much a later version has to be what version 00 is.
bool has_the_known_parts(std::string_view text) {
  return text[2] == '-' && text[parent_at - 1] == '-' && text[flags_at - 1] == '-' &&
         is_hex(text.substr(0, 2)) && is_hex(text.substr(trace_at, trace_digits)) &&
         is_hex(text.substr(parent_at, parent_digits)) && is_hex(text.substr(flags_at, 2)) &&
         !is_zero(text.substr(trace_at, trace_digits)) && !is_zero(text.substr(parent_at, parent_digits));
}

std::string to_hex(std::uint64_t number) {
  std::string text(parent_digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U)
    *digit = hex_digits[number & 15U];
  return text;
}

}  // namespace

std::optional<std::string> read_traceparent(std::string_view text) {
  if (text.size() < traceparent_length || !has_the_known_parts(text)) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (version == "ff") return std::nullopt;
  if (version == "00") {
    if (text.size() != traceparent_length) return std::nullopt;
    return std::string(text);
  }
  if (text.size() > traceparent_length && text[traceparent_length] != '-') return std::nullopt;
  const bool sampled = (hex_digits.find(text[flags_at + 1]) & 1U) != 0;  // the one flag that is known of it
  return "00" + std::string(text.substr(2, flags_at - 2)) + (sampled ? "01" : "00");
}

std::string_view trace_id_of(std::string_view traceparent) {
  ENSURE(traceparent.size() == traceparent_length, "traceparent", traceparent);
  return traceparent.substr(trace_at, trace_digits);
}

std::string traceparent_within(std::string_view traceparent, const AttemptId& attempt) {
  ENSURE(traceparent.size() == traceparent_length, "traceparent", traceparent);
  Prng mix(attempt.task.value ^ std::rotl(std::uint64_t{attempt.attempt}, 40) ^
           std::rotl(std::uint64_t{attempt.run}, 32) ^ std::rotl(attempt.epoch.value, 16));
  const std::uint64_t span = std::max<std::uint64_t>(mix(), 1);  // 0 is none
  return std::string(traceparent.substr(0, parent_at)) + to_hex(span) +
         std::string(traceparent.substr(flags_at - 1));
}

}  // namespace cidbus
