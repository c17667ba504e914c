// Value: what tasks, their results and all that is told about a cluster are made of here: null, true or
// false, a whole number, a decimal, a text, a list, or a dict with texts for names. In Python: None, bool,
// int, float, str, list and dict. On its way it is JSON (RFC 8259).
//
//   cidbus::Dict task{{"type", "shout"}, {"parameters", cidbus::Dict{{"text", "hello"}}}};
//   std::cout << cidbus::to_json(task);
//
// Thread rule: values. Limits: JSON nests at most 32 deep.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "cidbus/result.h"

namespace cidbus::v1 {

class Value;
using List = std::vector<Value>;
using Dict = std::map<std::string, Value, std::less<>>;

class Value {
 public:
  // NOLINTBEGIN(google-explicit-constructor): so that what is written in braces is a Value.
  Value() = default;  // null
  template <typename Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  Value(Number number) : state_(of_number(number)) {}
  Value(std::string text) : state_(std::move(text)) {}
  Value(std::string_view text) : state_(std::string(text)) {}
  Value(const char* text) : state_(std::string(text)) {}
  Value(List list) : state_(std::move(list)) {}
  Value(Dict dict) : state_(std::move(dict)) {}
  // NOLINTEND(google-explicit-constructor)
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  [[nodiscard]] bool is_null() const { return state_.index() == 0; }
  // Null when it is something else.
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&state_); }
  [[nodiscard]] const std::int64_t* whole() const { return std::get_if<std::int64_t>(&state_); }
  [[nodiscard]] const double* decimal() const { return std::get_if<double>(&state_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&state_); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&state_); }
  [[nodiscard]] const Dict* dict() const { return std::get_if<Dict>(&state_); }
  // A whole number or a decimal as a number; `otherwise` when it is none.
  [[nodiscard]] double number(double otherwise = 0) const;
  // A text as it is, null as nothing, all else as JSON: for people.
  [[nodiscard]] std::string shown() const;
  // Of a dict: what stands under the name; null when it is no dict, or has no such name.
  const Value& operator[](std::string_view name) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  using State = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Dict>;
  template <typename Number>
  static State of_number(Number number) {
    if constexpr (std::is_same_v<Number, bool>)
      return State(number);
    else if constexpr (std::is_floating_point_v<Number>)
      return State(static_cast<double>(number));
    else
      return State(static_cast<std::int64_t>(number));
  }
  State state_;
};

// One line. A decimal that is no number (NaN, infinity), which JSON does not have, becomes null.
std::string to_json(const Value& value);
// BadData, saying where, for what is no JSON. A whole number that does not fit into 64 bits is a decimal.
Result<Value> parse_json(std::string_view text);

}  // namespace cidbus::v1
