#include "gateway/routes/listing.h"

#include <array>

#include "gateway/routes/target.h"

namespace cidbus {

namespace {

constexpr std::string_view version = "1";  // count up with every change of what folder_page writes

constexpr std::string_view style = R"(<style>
:root{color-scheme:light dark;
--text:#1c1e21;--dim:#667078;--back:#fff;--line:#e3e6e8;--link:#0b5cad;--hover:#f4f6f8}
@media(prefers-color-scheme:dark){:root{
--text:#e4e6e8;--dim:#98a2ab;--back:#15181b;--line:#2b3035;--link:#7ab7ff;--hover:#1d2125}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 3rem;
background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.05rem;font-weight:600;overflow-wrap:anywhere;margin:0 0 .25rem}
p{color:var(--dim);margin:0 0 1rem}
a{color:var(--link);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
table{width:100%;border-collapse:collapse}
td{padding:.35rem .5rem;border-top:1px solid var(--line);unicode-bidi:isolate}
tr:hover{background:var(--hover)}
td:first-child{overflow-wrap:anywhere}
td.size{text-align:right;white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums}
code,a.ipfs-hash{font:.85em ui-monospace,monospace}
td.hash{white-space:nowrap}
a.ipfs-hash{color:var(--dim)}
@media(max-width:40rem){td.hash{display:none}}
</style>
)";

void open_page(std::string& page, std::string_view title) {
  page += "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>";
  page += escape_html(title);
  page += "</title>\n";
  page += style;
  page += "</head>\n<body>\n";
}

// The bytes of the UTF-8 character at the front, 0 when there is none (RFC 3629's table).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto in = [&](std::size_t at, unsigned low, unsigned high) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

std::string link(std::string_view href, std::string_view text) {
  return "<a href=\"" + escape_html(href) + "\">" + escape_html(text) + "</a>";
}

// "bafybei…tlwwct": enough to tell neighbours apart.
std::string short_cid(const std::string& cid) {
  return cid.size() <= 16 ? cid : cid.substr(0, 4) + "…" + cid.substr(cid.size() - 8);
}

void add_row(std::string& page, const std::string& folder, const PageEntry& entry) {
  const std::string cid = to_text(entry.cid);
  page += "<tr><td>" + link(folder + "/" + percent_encode_segment(entry.name), entry.name);
  page += "</td><td class=\"hash\"><a class=\"ipfs-hash\" translate=\"no\" href=\"/ipfs/" + cid;
  page += "?filename=" + percent_encode_strictly(entry.name) + "\">" + short_cid(cid) + "</a></td>";
  page += "<td class=\"size\">" + (entry.size ? human_size(*entry.size) : std::string()) + "</td></tr>\n";
}

std::string count_line(const Listing& listing) {
  const std::size_t count = listing.entries.size();
  const std::string entries = std::to_string(count) + (count == 1 ? " entry" : " entries");
  return listing.cut ? "the first " + entries + " of more: any other can be asked for by its name" : entries;
}

}  // namespace

std::string_view folder_page_version() { return version; }

std::string escape_html(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    switch (text.front()) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const auto lead = static_cast<unsigned char>(text.front());
        const bool shown = length > 0 && lead >= 0x20 && lead != 0x7f;
        escaped += shown ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
      }
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

std::string human_size(ByteCount bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr std::array units = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  std::size_t unit = 0;
  ByteCount whole = bytes;
  ByteCount below = 0;  // of 1024
  for (; whole >= 1024 && unit <= units.size(); ++unit) {
    below = whole % 1024;
    whole /= 1024;
  }
  const std::string tenth = whole < 100 ? "." + std::to_string(below * 10 / 1024) : "";
  return std::to_string(whole) + tenth + units[unit - 1];
}

std::string folder_page(const Listing& listing) {
  std::string page;
  page.reserve(4096 + listing.entries.size() * 320);
  const std::string root = "/ipfs/" + listing.root;
  std::string title = root;
  for (const std::string& segment : listing.segments) title += "/" + segment;
  open_page(page, title);
  page += "<h1>Index of /ipfs/" + link(root, listing.root);
  std::string folder = root;
  for (const std::string& segment : listing.segments) {
    folder += "/" + percent_encode_segment(segment);
    page += "/" + link(folder, segment);
  }
  page += "</h1>\n<p>" + count_line(listing) + "</p>\n<table>\n";
  if (!listing.segments.empty()) {
    page += "<tr><td>" + link(folder + "/..", "..") +
            "</td><td class=\"hash\"></td><td class=\"size\"></td></tr>\n";
  }
  for (const PageEntry& entry : listing.entries) add_row(page, folder, entry);
  page += "</table>\n</body>\n</html>\n";
  return page;
}

std::string welcome_page() {
  std::string page;
  open_page(page, "cidbus gateway");
  page += R"(<h1>cidbus gateway</h1>
<p>Content under its identifier (CID), from a cidbus cluster, over HTTP.</p>
<table>
<tr><td><code>/ipfs/CID</code></td><td>a file, or the list of a folder</td></tr>
<tr><td><code>/ipfs/CID/path/to/file</code></td><td>a file in a folder</td></tr>
<tr><td><code>/ipfs/CID?format=raw</code></td><td>one block as it is, to be checked against its CID</td></tr>
<tr><td><code>?filename=NAME&amp;download=true</code></td><td>saved under a name</td></tr>
<tr><td><a href="/readyz?verbose"><code>/readyz?verbose</code></a></td>
<td>whether the cluster can be reached from here</td></tr>
</table>
</body>
</html>
)";
  return page;
}

}  // namespace cidbus
