#include "leecher/pin_list.h"

#include <fstream>
#include <sstream>

#include "shared/base/ids.h"
#include "shared/base/limits/leecher.h"
#include "shared/base/limits/names.h"
#include "shared/content/quote.h"
#include "shared/io/posix_file_system.h"

namespace cidbus {
namespace {

constexpr std::string_view name_prefix = "name:";
constexpr std::string_view tag_prefix = "tag:";

std::string pins_path(const std::string& folder) { return folder + "/pins"; }
std::string known_path(const std::string& folder) { return folder + "/pins.known"; }

Status write_text(const std::string& folder, const std::string& path, const std::string& text) {
  PosixFileSystem files;
  if (Status made = files.create_directory(folder); !made) return made;
  auto file = files.create(path + ".new");
  if (!file) return tl::unexpected(file.error());
  if (Status written = (*file)->write(0, as_bytes(text)); !written) return written;
  if (Status synced = (*file)->sync(); !synced) return synced;
  if (Status renamed = files.rename(path + ".new", path); !renamed) return renamed;
  return files.sync_directory(folder);
}

}  // namespace

Result<Pin> parse_pin(std::string_view text) {
  if (!is_plain_line(text))
    return fault(FaultKind::BadUsage, in_quotes(text) + " cannot be pinned; it is not a line of plain UTF-8");
  if (text.starts_with(name_prefix)) {
    const std::string_view name = text.substr(name_prefix.size());
    if (!name.empty() && name.size() <= limits::content_name_bytes)
      return Pin{std::string(text), {}, std::string(name), {}, {}};
  } else if (text.starts_with(tag_prefix)) {
    const std::string_view tag = text.substr(tag_prefix.size());
    const auto equals = tag.find('=');
    if (equals != std::string_view::npos && is_valid_name(tag.substr(0, equals)) &&
        tag.size() - equals <= limits::content_name_bytes) {
      return Pin{
          std::string(text), {}, {}, std::string(tag.substr(0, equals)), std::string(tag.substr(equals + 1))};
    }
  } else if (const auto cid = Cid::parse(text)) {
    return Pin{to_text(*cid), *cid, {}, {}, {}};
  }
  return fault(FaultKind::BadUsage,
               in_quotes(text) + " cannot be pinned; give a CID, name:NAME or tag:KEY=VALUE");
}

Result<std::vector<Pin>> read_pins(const std::string& folder) {
  std::vector<Pin> pins;
  std::ifstream file(pins_path(folder));
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    const std::string where = pins_path(folder) + ", line " + std::to_string(number) + ": ";
    auto pin = parse_pin(line);
    if (!pin) return fault(FaultKind::BadData, where + pin.error().message);
    if (pins.size() == limits::pins_a_leecher) {
      return fault(FaultKind::BadData,
                   where + "more than " + std::to_string(limits::pins_a_leecher) + " pins; take some out");
    }
    pins.push_back(*std::move(pin));
  }
  return pins;
}

Status write_pins(const std::string& folder, const std::vector<Pin>& pins) {
  std::string text;
  for (const Pin& pin : pins) text += pin.text + '\n';
  return write_text(folder, pins_path(folder), text);
}

// A line a pin: its CIDs, then its text, which may hold blanks.
KnownPins read_known_pins(const std::string& folder) {
  KnownPins known;
  std::ifstream file(known_path(folder));
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::size_t count = 0;
    std::vector<Cid> cids;
    std::string word;
    for (words >> count; cids.size() < count && words >> word;) {
      const auto cid = Cid::parse(word);
      if (!cid) break;
      cids.push_back(*cid);
    }
    std::string text;
    if (words.get() == ' ' && std::getline(words, text) && cids.size() == count)
      known[text] = std::move(cids);
  }
  return known;
}

Status write_known_pins(const std::string& folder, const KnownPins& known) {
  std::string text;
  for (const auto& [pin, cids] : known) {
    text += std::to_string(cids.size());
    for (const Cid& cid : cids) text += ' ' + to_text(cid);
    text += ' ' + pin + '\n';
  }
  return write_text(folder, known_path(folder), text);
}

}  // namespace cidbus
