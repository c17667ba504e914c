// A response as the routes write it: its head, and a body of texts and pieces of one file.
//
// The content's bytes are named, not held: a server sends each part's text, then the bytes of its range.
//
// Invariants
//  1. A response to HEAD is the one to GET, body and all; it is the server that leaves the body out.
// Thread rule: values. Limits: texts are bounded by what makes them (limits::http_listing_entries,
// http_ranges).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/routes/conditions.h"
#include "shared/base/http_message.h"
#include "shared/base/limits/http.h"

namespace cidbus {

struct BodyPart {
  std::string text;                // sent first
  std::optional<HttpRange> range;  // then these bytes of the file
};

struct Response {
  unsigned status = 200;
  HttpHeaders headers;  // without Content-Length, Date and Connection: those are the server's
  std::vector<BodyPart> body;

  [[nodiscard]] ByteCount length() const {
    ByteCount bytes = 0;
    for (const BodyPart& part : body) bytes += part.text.size() + (part.range ? part.range->length() : 0);
    return bytes;
  }
};

// One line of plain text that is not to be cached: every answer that is not content.
Response one_line(unsigned status, std::string_view line);

}  // namespace cidbus
