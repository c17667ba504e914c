#include "gateway/routes/content_type.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>

namespace cidbus {

namespace {

struct Extension {
  std::string_view extension;  // lower case
  std::string_view type;
};

// In the order of the extensions: it is searched by halves.
constexpr Extension extensions[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apk", "application/vnd.android.package-archive"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", "text/plain; charset=utf-8"},
    {"car", "application/vnd.ipld.car"},
    {"cbor", "application/cbor"},
    {"conf", "text/plain; charset=utf-8"},
    {"cpp", "text/plain; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"deb", "application/vnd.debian.binary-package"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"go", "text/plain; charset=utf-8"},
    {"gz", "application/gzip"},
    {"h", "text/plain; charset=utf-8"},
    {"heic", "image/heic"},
    {"heif", "image/heif"},
    {"hpp", "text/plain; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"iso", "application/x-iso9660-image"},
    {"jar", "application/java-archive"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"log", "text/plain; charset=utf-8"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"markdown", "text/markdown; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"mid", "audio/midi"},
    {"midi", "audio/midi"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mkv", "video/matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"parquet", "application/vnd.apache.parquet"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"py", "text/plain; charset=utf-8"},
    {"rar", "application/vnd.rar"},
    {"rs", "text/plain; charset=utf-8"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", "text/plain; charset=utf-8"},
    {"sqlite", "application/vnd.sqlite3"},
    {"srt", "text/plain; charset=utf-8"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"tsv", "text/tab-separated-values; charset=utf-8"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "text/xml; charset=utf-8"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

static_assert(std::is_sorted(std::begin(extensions), std::end(extensions),
                             [](const Extension& a, const Extension& b) {
                               return a.extension < b.extension;
                             }));

using namespace std::string_view_literals;

// Markup that makes text a page, when white space stands before it and a space or ">" behind it.
constexpr std::string_view html_openings[] = {
    "<!DOCTYPE HTML", "<HTML",  "<HEAD", "<SCRIPT", "<IFRAME", "<H1", "<DIV", "<FONT", "<TABLE", "<A",
    "<STYLE",         "<TITLE", "<B",    "<BODY",   "<BR",     "<P",  "<!--",
};

struct Signature {
  std::string_view bytes;
  std::string_view type;
  std::size_t at = 0;
};

constexpr std::string_view utf8_text = "text/plain; charset=utf-8";

// The first that fits decides.
constexpr Signature signatures[] = {
    {"%PDF-"sv, "application/pdf"},
    {"%!PS-Adobe-"sv, "application/postscript"},
    {"\xFE\xFF"sv, "text/plain; charset=utf-16be"},
    {"\xFF\xFE"sv, "text/plain; charset=utf-16le"},
    {"\xEF\xBB\xBF"sv, utf8_text},
    {"\0\0\1\0"sv, "image/vnd.microsoft.icon"},
    {"\0\0\2\0"sv, "image/vnd.microsoft.icon"},
    {"BM"sv, "image/bmp"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a"sv, "image/gif"},
    {"\x89PNG\r\n\x1A\n"sv, "image/png"},
    {"\xFF\xD8\xFF"sv, "image/jpeg"},
    {"II*\0"sv, "image/tiff"},
    {"MM\0*"sv, "image/tiff"},
    {"ID3"sv, "audio/mpeg"},
    {"OggS\0"sv, "application/ogg"},
    {"MThd\0\0\0\6"sv, "audio/midi"},
    {"fLaC"sv, "audio/flac"},
    {"\x1A\x45\xDF\xA3"sv, "video/webm"},
    {"\0\1\0\0"sv, "font/ttf"},
    {"OTTO"sv, "font/otf"},
    {"ttcf"sv, "font/collection"},
    {"wOFF"sv, "font/woff"},
    {"wOF2"sv, "font/woff2"},
    {"\x1F\x8B\x08"sv, "application/gzip"},
    {"PK\3\4"sv, "application/zip"},
    {"Rar!\x1A\7"sv, "application/vnd.rar"},
    {"7z\xBC\xAF\x27\x1C"sv, "application/x-7z-compressed"},
    {"\xFD"
     "7zXZ\0"sv,
     "application/x-xz"},
    {"\x28\xB5\x2F\xFD"sv, "application/zstd"},
    {"BZh"sv, "application/x-bzip2"},
    {"\0asm"sv, "application/wasm"},
    {"ustar"sv, "application/x-tar", 257},
};

// Containers say what they hold behind a length: "RIFF", 4 bytes, then the kind.
constexpr Signature riff_kinds[] = {
    {"WEBPVP"sv, "image/webp", 8}, {"WAVE"sv, "audio/wav", 8}, {"AVI "sv, "video/x-msvideo", 8}};

bool stands_at(std::string_view head, std::size_t at, std::string_view bytes) {
  return head.size() >= at && head.substr(at).starts_with(bytes);
}

bool opens_html(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(" \t\r\n\f"), text.size());
  text.remove_prefix(first);
  for (const std::string_view opening : html_openings) {
    if (text.size() <= opening.size()) continue;
    const bool same = std::equal(opening.begin(), opening.end(), text.begin(), [](char wanted, char c) {
      return wanted == (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
    });
    const char behind = text[opening.size()];
    if (same && (behind == ' ' || behind == '>')) return true;
  }
  return false;
}

std::string_view iso_media_type(std::string_view head) {
  if (!stands_at(head, 4, "ftyp")) return {};
  const std::string_view brand = head.substr(8, 4);
  if (brand == "avif" || brand == "avis") return "image/avif";
  if (brand == "heic" || brand == "heix" || brand == "mif1") return "image/heic";
  if (brand == "qt  ") return "video/quicktime";
  if (brand == "M4A ") return "audio/mp4";
  return "video/mp4";
}

// Bytes no text has, by the specification's table.
bool is_binary(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x08 || byte == 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}

}  // namespace

std::string_view content_type_by_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || name.size() - dot > 16) return {};
  std::string extension(name.substr(dot + 1));
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto* found = std::lower_bound(
      std::begin(extensions), std::end(extensions), std::string_view(extension),
      [](const Extension& entry, std::string_view wanted) { return entry.extension < wanted; });
  return found != std::end(extensions) && found->extension == extension ? found->type : std::string_view();
}

std::string_view content_type_by_bytes(ByteView bytes) {
  const std::string_view head = as_text(bytes).substr(0, sniffed_bytes);
  if (opens_html(head)) return "text/html; charset=utf-8";
  const auto first = std::min(head.find_first_not_of(" \t\r\n\f"), head.size());
  if (stands_at(head, first, "<?xml")) return "text/xml; charset=utf-8";
  for (const Signature& signature : signatures) {
    if (stands_at(head, signature.at, signature.bytes)) return signature.type;
  }
  if (head.starts_with("RIFF")) {
    for (const Signature& kind : riff_kinds) {
      if (stands_at(head, kind.at, kind.bytes)) return kind.type;
    }
  }
  if (head.starts_with("FORM") && stands_at(head, 8, "AIFF")) return "audio/aiff";
  if (const auto type = iso_media_type(head); !type.empty()) return type;
  return std::any_of(head.begin(), head.end(), is_binary) ? "application/octet-stream" : utf8_text;
}

}  // namespace cidbus
