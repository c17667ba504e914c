// An HTTP request and the head of a response, as plain values that a pure room may judge and write.
//
// Parsing and sending are shared/io/http_server's; this is what stands between it and whoever answers.
//
// Invariants
//  1. No value put into HttpHeaders can end its line: control characters become '_'.
// Thread rule: values; the views of a request live as long as the one who made it says.
// Limits: http_server's, before a request gets here.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cidbus {

// Of ASCII letters only, as HTTP compares names.
inline bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

struct HttpRequest {
  std::string_view method;  // case matters
  std::string_view target;  // as on the request line, never decoded
  std::vector<std::pair<std::string_view, std::string_view>> headers;

  // The value; several fields of one name are one list (RFC 9110, section 5.3). Empty when there is none.
  [[nodiscard]] std::string header(std::string_view name) const {
    std::string value;
    for (const auto& [key, text] : headers) {
      if (!equal_ignoring_case(key, name)) continue;
      if (!value.empty()) value += ", ";
      value += text;
    }
    return value;
  }
};

// The header fields of a response, kept as they will be sent: one text, so that adding is appending.
class HttpHeaders {
 public:
  void add(std::string_view name, std::string_view value) {
    text_.reserve(text_.size() + name.size() + value.size() + 4);
    text_.append(name).append(": ");
    for (const char c : value) text_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '_' : c;
    text_ += "\r\n";
  }
  // The first value of that name, for tests and for who decides by it. Valid until the next add.
  [[nodiscard]] std::string_view find(std::string_view name) const {
    std::string_view rest = text_;
    while (!rest.empty()) {
      const auto end = rest.find("\r\n");
      const auto line = rest.substr(0, end);
      const auto colon = line.find(": ");
      if (equal_ignoring_case(line.substr(0, colon), name)) return line.substr(colon + 2);
      rest.remove_prefix(end + 2);
    }
    return {};
  }
  // "Name: value\r\n" of each.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace cidbus
