// Writes JSON text, one token after another, compact and in the order given.
//
// Boost.JSON, which reads batches, is not used to write: what is printed comes from anywhere and has to be
// made valid UTF-8 first, and the order of names is part of the promise.
//
// Invariants
//  1. The text is valid JSON (RFC 8259) in valid UTF-8, whatever strings it is given: bytes that are no UTF-8
//     become U+FFFD.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cidbus {

class JsonWriter {
 public:
  JsonWriter& open_object() { return open('{'); }
  JsonWriter& close_object() { return close('}'); }
  JsonWriter& open_array() { return open('['); }
  JsonWriter& close_array() { return close(']'); }
  JsonWriter& name(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& string_or_null(std::string_view text);  // null when empty
  JsonWriter& number(std::uint64_t number) { return token(std::to_string(number)); }
  JsonWriter& decimal(double number, int digits);  // behind the point. REQUIRES: finite
  JsonWriter& real(double number);                 // as short as reads back equal; null when it is not finite
  JsonWriter& boolean(bool value) { return token(value ? "true" : "false"); }
  JsonWriter& null() { return token("null"); }
  JsonWriter& raw(std::string_view json) { return token(json); }  // REQUIRES: another writer's text, whole

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& token(std::string_view token);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

// The text with every byte that is no part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace cidbus
