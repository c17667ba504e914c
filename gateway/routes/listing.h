// The page that shows a folder: small, self-contained, light and dark, without script.
//
// Names come from whoever made the folder, so they are escaped, and shown as far as they are UTF-8.
//
// Thread rule: functions of their arguments. Limits: limits::http_listing_entries entries, by whoever lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/http.h"
#include "shared/content/cid.h"

namespace cidbus {

struct PageEntry {
  std::string name;
  Cid cid;
  std::optional<ByteCount> size;  // of all its blocks, by the word of the folder
};

struct Listing {
  std::string root;                   // the CID as it was asked for
  std::vector<std::string> segments;  // names below it
  std::vector<PageEntry> entries;
  bool cut = false;  // there are more entries than these
};

std::string folder_page(const Listing& listing);
// Changes whenever folder_page would show the same folder otherwise; a part of its entity tag.
std::string_view folder_page_version();

// Safe between tags and in quoted attributes; bytes that are not UTF-8 become U+FFFD.
std::string escape_html(std::string_view text);
// "17 B", "1.4 KiB", "2.0 GiB"
std::string human_size(ByteCount bytes);

// What "/" shows.
std::string welcome_page();

}  // namespace cidbus
