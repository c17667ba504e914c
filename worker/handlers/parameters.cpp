#include "worker/handlers/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "shared/content/quote.h"

namespace cidbus {
namespace {

template <typename T>
std::optional<T> parse_all(std::string_view text, auto... format) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string joined(const auto& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

}  // namespace

std::optional<std::string_view> Parameters::text(std::string_view name) {
  known_.push_back(name);
  if (failure_) return std::nullopt;
  std::optional<std::string_view> found;
  for (const auto& [given_name, value] : given_) {
    if (given_name != name) continue;
    if (found) {
      fail("parameter " + std::string(name) + " is given twice; give it once");
      return std::nullopt;
    }
    found = value;
  }
  return found;
}

std::optional<std::int64_t> Parameters::whole(std::string_view name, std::int64_t low, std::int64_t high) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto number = parse_all<std::int64_t>(*value);
  if (number && *number >= low && *number <= high) return number;
  refuse(name, *value, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return std::nullopt;
}

std::optional<double> Parameters::decimal(std::string_view name, double low, double high) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto number = parse_all<double>(*value, std::chars_format::fixed);
  if (number && std::isfinite(*number) && *number >= low && *number <= high) return number;
  refuse(name, *value,
         "a number from " + std::to_string(std::lround(low)) + " to " + std::to_string(std::lround(high)));
  return std::nullopt;
}

std::optional<std::size_t> Parameters::one_of(std::string_view name,
                                              std::initializer_list<std::string_view> words) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto* const place = std::find(words.begin(), words.end(), *value);
  if (place != words.end()) return static_cast<std::size_t>(place - words.begin());
  refuse(name, *value, "one of " + joined(words));
  return std::nullopt;
}

std::optional<std::uint32_t> Parameters::colour(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const std::string_view digits = value->starts_with('#') ? value->substr(1) : *value;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (digits.size() == 6 && error == std::errc{} && end == digits.data() + digits.size()) return number;
  refuse(name, *value, "a colour as six hexadecimal digits, rrggbb");
  return std::nullopt;
}

void Parameters::refuse(std::string_view name, std::string_view value, const std::string& allowed) {
  fail(std::string(name) + " cannot be " + in_quotes(value) + "; give " + allowed);
}

void Parameters::fail(std::string why) {
  if (!failure_) failure_ = subject_ + ": " + std::move(why);
}

Status Parameters::finish() {
  for (const auto& [name, value] : given_) {
    if (failure_) break;
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      fail("unknown parameter " + in_quotes(name) + "; it takes " +
           (known_.empty() ? "none" : joined(known_)));
    }
  }
  if (failure_) return fault(FaultKind::BadUsage, *failure_);
  return {};
}

}  // namespace cidbus
