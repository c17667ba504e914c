// Reads a task's parameters, and says in one line what is wrong with them and what is allowed.
//
// Every accessor checks one parameter and remembers the first fault; the caller reads all it knows and asks
// once, as with ByteReader. A name nobody asked about is a fault too, so that a typing error is never
// ignored.
//
// Invariants: 1. after the first fault accessors answer "not given". 2. finish() lists the names asked for.
// Thread rule: one owner. Limits: texts are quoted (quote.h), so a message stays one short line.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "worker/handlers/handler.h"

namespace cidbus {

class Parameters {
 public:
  // `subject` begins every message: "process_content" or "process_content resize". Both outlive this.
  Parameters(std::string subject, const NamedTexts& given) : subject_(std::move(subject)), given_(given) {}

  std::optional<std::string_view> text(std::string_view name);
  // A whole decimal number from `low` to `high`.
  std::optional<std::int64_t> whole(std::string_view name, std::int64_t low, std::int64_t high);
  // A decimal number from `low` to `high`: 90, -12.5.
  std::optional<double> decimal(std::string_view name, double low, double high);
  // The place of the value among the words.
  std::optional<std::size_t> one_of(std::string_view name, std::initializer_list<std::string_view> words);
  // "rrggbb" or "#rrggbb", as 0xrrggbb.
  std::optional<std::uint32_t> colour(std::string_view name);

  // From here on messages begin with this.
  void set_subject(std::string subject) { subject_ = std::move(subject); }
  void fail(std::string why);  // for what spans parameters; the first fault counts
  // BadUsage: the first fault, or a parameter that nobody asked for or that came twice.
  Status finish();

 private:
  void refuse(std::string_view name, std::string_view value, const std::string& allowed);

  std::string subject_;
  const NamedTexts& given_;
  std::vector<std::string_view> known_;  // asked for, in that order
  std::optional<std::string> failure_;
};

}  // namespace cidbus
