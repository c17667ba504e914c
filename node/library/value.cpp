#include "cidbus/cluster/value.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

namespace cidbus::v1 {
namespace {

namespace json = boost::json;

json::value to_boost(const Value& value) {
  if (const auto* boolean = value.boolean()) return *boolean;
  if (const auto* whole = value.whole()) return *whole;
  if (const auto* text = value.text()) return json::string(*text);
  if (const auto* decimal = value.decimal()) {
    if (std::isfinite(*decimal)) return *decimal;
    return nullptr;
  }
  if (const auto* list = value.list()) {
    json::array array;
    for (const Value& item : *list) array.push_back(to_boost(item));
    return array;
  }
  if (const auto* dict = value.dict()) {
    json::object object;
    for (const auto& [name, item] : *dict) object.emplace(name, to_boost(item));
    return object;
  }
  return nullptr;
}

Value from_boost(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {};
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64();
    case json::kind::uint64:
      return static_cast<double>(value.get_uint64());
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string_view(value.get_string().data(), value.get_string().size());
    case json::kind::array:
      break;
    case json::kind::object: {
      Dict dict;
      for (const auto& entry : value.get_object())
        dict.emplace(std::string_view(entry.key().data(), entry.key().size()), from_boost(entry.value()));
      return dict;
    }
  }
  List list;
  for (const json::value& item : value.get_array()) list.push_back(from_boost(item));
  return list;
}

}  // namespace

// Here and not in the header: g++ 12, where it inlines them, warns of members that are not there.
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

double Value::number(double otherwise) const {
  if (const auto* value = whole()) return static_cast<double>(*value);
  if (const auto* value = decimal()) return *value;
  return otherwise;
}

std::string Value::shown() const {
  if (is_null()) return {};
  if (const auto* value = text()) return *value;
  if (const auto* value = decimal()) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *value).ptr;
    return {digits.data(), end};
  }
  return to_json(*this);
}

const Value& Value::operator[](std::string_view name) const {
  static const Value nothing;
  const Dict* const entries = dict();
  if (entries == nullptr) return nothing;
  const auto found = entries->find(name);
  return found == entries->end() ? nothing : found->second;
}

std::string to_json(const Value& value) { return json::serialize(to_boost(value)); }

Result<Value> parse_json(std::string_view text) {
  boost::system::error_code wrong;
  const json::value value = json::parse({text.data(), text.size()}, wrong);
  if (wrong) return Fault{FaultKind::BadData, "this is no JSON: " + wrong.message()};
  return from_boost(value);
}

}  // namespace cidbus::v1
