#include "leecher/pin_list.h"

#include <filesystem>
#include <fstream>

#include "shared/base/limits/leecher.h"
#include "shared/io/posix_file_system.h"

namespace cidbus {
namespace {

std::string path_in(const std::string& folder) { return folder + "/pins"; }

}  // namespace

Result<std::vector<Cid>> read_pins(const std::string& folder) {
  std::vector<Cid> pins;
  std::ifstream file(path_in(folder));
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    const auto cid = Cid::parse(line);
    const std::string where = path_in(folder) + ", line " + std::to_string(number);
    if (!cid) return fault(FaultKind::BadData, where + ": " + cid.error().message);
    if (pins.size() == limits::pins_a_leecher) {
      return fault(FaultKind::BadData,
                   where + ": more than " + std::to_string(limits::pins_a_leecher) + " pins; take some out");
    }
    pins.push_back(*cid);
  }
  return pins;
}

Status write_pins(const std::string& folder, const std::vector<Cid>& pins) {
  std::string text;
  for (const Cid& pin : pins) text += to_text(pin) + '\n';
  PosixFileSystem files;
  if (Status made = files.create_directory(folder); !made) return made;
  const std::string fresh = path_in(folder) + ".new";
  auto file = files.create(fresh);
  if (!file) return tl::unexpected(file.error());
  if (Status written = (*file)->write(0, as_bytes(text)); !written) return written;
  if (Status synced = (*file)->sync(); !synced) return synced;
  if (Status renamed = files.rename(fresh, path_in(folder)); !renamed) return renamed;
  return files.sync_directory(folder);
}

}  // namespace cidbus
