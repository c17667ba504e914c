#include "shared/io/node_adaptation.h"

#include <malloc.h>

#include <array>
#include <cstdio>

#include "shared/base/ensure.h"
#include "shared/base/limits/roles.h"
#include "shared/io/machine_reader.h"

namespace cidbus {
namespace {

std::vector<AdaptedNumber> rules_of(const std::vector<NodeAdaptation::Number>& numbers) {
  ENSURE(numbers.size() <= limits::settings_moved, numbers.size());
  std::vector<AdaptedNumber> rules;
  for (const NodeAdaptation::Number& number : numbers) rules.push_back(number.rule);
  return rules;
}

}  // namespace

NodeAdaptation::NodeAdaptation(FileSystem& files, const std::string& folder, Log& log, Registry& registry,
                               std::vector<Number> numbers)
    : folder_(folder.empty() ? "." : folder),
      log_(log),
      registry_(registry),
      record_(files, folder, log),
      numbers_(std::move(numbers)),
      rule_(rules_of(numbers_)) {
  for (const Number& number : numbers_) registry_.counter(Metric::MovesMade, number.rule.what);
}

std::vector<std::uint64_t> NodeAdaptation::values() const {
  std::vector<std::uint64_t> values;
  for (const Number& number : numbers_) values.push_back(number.read());
  return values;
}

bool NodeAdaptation::turn(Now now) {
  if (now.monotonic < rule_.next()) return false;
  const std::vector<std::uint64_t> before = values();
  const auto moves = rule_.measure(now.monotonic, read_machine(folder_), before);
  for (const Adaptation::Move& move : moves) {
    const Number& number = numbers_[move.number];
    number.move(move.to);
    const std::string what(number.rule.what);
    const std::string from = number.text(before[move.number]);
    const std::string to = number.text(number.read());
    log_.warning(what + ": " + from + " -> " + to + ": " + move.reason);
    record_.add(now.wall, what, from, to, move.reason);
    registry_.counter(Metric::MovesMade, what).add();
  }
  if (!moves.empty()) malloc_trim(0);
  return !moves.empty();
}

void NodeAdaptation::tell(BusLink& link) const {
  std::vector<std::string> texts;
  texts.reserve(2 * numbers_.size());  // views stay
  Moves told{{}, record_.moves()};
  for (const Number& number : numbers_) {
    const std::string& is = texts.emplace_back(number.text(number.read()));
    const std::string& given = texts.emplace_back(number.text(number.rule.given));
    told.settings.push_back({number.rule.what, is, given});
  }
  link.send(told);
}

std::string count_text(std::uint64_t count) { return std::to_string(count); }

std::string mebibytes_text(std::uint64_t bytes) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  if (bytes % mebibyte == 0) return std::to_string(bytes / mebibyte) + " MiB";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MiB", static_cast<double>(bytes) / mebibyte);
  return text.data();
}

}  // namespace cidbus
