// The target of a request taken apart: path segments and query, each percent-decoded once, as bytes.
//
// "+" stands for itself in a path and for a space in a query, as browsers write them. "%2F" is a byte of its
// segment, never a separator. What is decoded here is a name to look up in content, never a file of this
// machine.
//
// Thread rule: functions of their arguments. Limits: http_server bounds the target before it comes here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cidbus {

// Nothing when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);
// Everything but RFC 3986's unreserved characters and "!$&'()*+,;=:@", so that decoding gives `segment`
// again.
std::string percent_encode_segment(std::string_view segment);
// Only unreserved characters stay: for a value in a query and for filename*= (RFC 8187).
std::string percent_encode_strictly(std::string_view text);

struct Target {
  std::string_view path;   // as it came, begins with "/"
  std::string_view query;  // as it came, without "?"
};
// Origin form or absolute form ("http://host/path"); nothing for any other.
std::optional<Target> split_target(std::string_view target);

// The parameters of a query in their order. One that does not decode is taken as it is.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace cidbus
