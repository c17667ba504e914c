// The media type of a file: by the extension of its name, or else by its first bytes.
//
// The bytes are judged as browsers do it, so that what is said and what would be guessed agree
// (https://mimesniff.spec.whatwg.org, section 7.1, "identify an unknown MIME type", with fonts, WebAssembly
// and the usual archives from the sections beside it).
//
// Thread rule: functions of their arguments. Limits: sniffed_bytes are looked at.
#pragma once

#include <string_view>

#include "shared/base/bytes.h"

namespace cidbus {

inline constexpr std::size_t sniffed_bytes =
    512;  // as Go's net/http; the specification's resource header is longer

// Empty when the name has no extension that is known. Text comes with its charset, UTF-8.
std::string_view content_type_by_name(std::string_view name);
// Never empty: "text/plain; charset=utf-8" for text, "application/octet-stream" for the rest.
std::string_view content_type_by_bytes(ByteView head);

}  // namespace cidbus
