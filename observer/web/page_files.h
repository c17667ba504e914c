// The files that make the page, as they were when the program was built: observer/web/files, and uPlot.
//
// Thread rule: constants. Limits: 300 kB in all, with what a browser is told first (DESIGN section 13).
#pragma once

#include <span>
#include <string_view>

#include "shared/base/bytes.h"

namespace cidbus {

struct PageFile {
  std::string_view name;  // without a folder
  ByteView bytes;
};
std::span<const PageFile> page_files();
// By how its name ends.
constexpr std::string_view content_type_of(std::string_view file_name) {
  if (file_name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (file_name.ends_with(".css")) return "text/css; charset=utf-8";
  if (file_name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

}  // namespace cidbus
