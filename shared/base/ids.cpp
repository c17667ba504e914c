#include "shared/base/ids.h"

#include <algorithm>
#include <cstring>

#include "shared/base/outbox_id.h"

namespace cidbus {
namespace {

constexpr std::string_view crockford_digits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint8_t byte) {
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15];
}

}  // namespace

std::string to_text(TaskId task) {
  std::string reversed;
  std::uint64_t rest = outbox_number(task);
  do {
    reversed += crockford_digits[rest & 31];
    rest >>= 5;
  } while (rest != 0);
  reversed += is_outbox_item(task) ? 'o' : 't';
  return {reversed.rbegin(), reversed.rend()};
}

std::optional<TaskId> parse_task_id(std::string_view text) {
  if (text.size() < 2 || text.size() > 14 || (text[0] != 't' && text[0] != 'o')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text.substr(1)) {
    const auto place = crockford_digits.find(digit);
    if (place == std::string_view::npos || value >> 59 != 0) return std::nullopt;
    value = value << 5 | place;
  }
  if (value == 0 || is_outbox_item({value})) return std::nullopt;
  const TaskId id = text[0] == 'o' ? outbox_item(value) : TaskId{value};
  return to_text(id) == text ? std::optional(id) : std::nullopt;
}

std::string to_text(const SessionId& session) {
  std::string text;
  for (const auto byte : session.bytes) append_hex(text, byte);
  return text;
}

std::string to_text(Incarnation incarnation) {
  std::string text;
  for (int shift = 56; shift >= 0; shift -= 8)
    append_hex(text, static_cast<std::uint8_t>(incarnation.value >> shift));
  return text;
}

ClusterId cluster_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char character : name) hash = (hash ^ static_cast<std::uint8_t>(character)) * 0x100000001b3ULL;
  return {hash};
}

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > limits::name_length) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace cidbus

std::size_t std::hash<cidbus::SessionId>::operator()(const cidbus::SessionId& session) const noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, session.bytes.data(), 8);
  std::memcpy(&high, session.bytes.data() + 8, 8);
  return cidbus::mix_bits(low ^ cidbus::mix_bits(high));
}
