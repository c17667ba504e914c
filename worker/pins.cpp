#include "worker/pins.h"

#include "shared/base/limits/pins.h"
#include "shared/io/replace_file.h"

namespace cidbus {
namespace {

constexpr const char* file_name = "pins";

}  // namespace

Result<std::unique_ptr<Pins>> Pins::open(FileSystem& files, std::string folder) {
  std::unique_ptr<Pins> pins(new Pins(files, std::move(folder)));
  if (Status read = pins->read(); !read) return tl::unexpected(read.error());
  return pins;
}

Status Pins::read() {
  const std::string path = folder_ + "/" + file_name;
  const auto content = read_whole(files_, path);
  if (!content) return tl::unexpected(content.error());
  std::string_view rest = *content ? as_text(**content) : "";
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto cid = Cid::parse(line);
    if (!cid) {
      return fault(FaultKind::BadData, path + ", line " + std::to_string(number) + ": " +
                                           cid.error().message + "; mend that line or take it out");
    }
    roots_.insert(as_v1(*cid));
  }
  return {};
}

Status Pins::write(const std::set<Cid>& roots) {
  std::string text;
  for (const Cid& root : roots) text += to_text(root) + '\n';
  return replace_file(files_, folder_, file_name, as_bytes(text));
}

Result<bool> Pins::add(const Cid& root) {
  const std::scoped_lock lock(mutex_);
  std::set<Cid> more = roots_;
  if (!more.insert(as_v1(root)).second) return false;
  if (more.size() > limits::pins_a_worker) {
    return fault(FaultKind::TryAgain, "this worker has its " + std::to_string(limits::pins_a_worker) +
                                          " pins; unpin something, or pin a folder in place of its files");
  }
  if (Status written = write(more); !written) return tl::unexpected(written.error());
  roots_ = std::move(more);
  return true;
}

Result<bool> Pins::remove(const Cid& root) {
  const std::scoped_lock lock(mutex_);
  std::set<Cid> fewer = roots_;
  if (fewer.erase(as_v1(root)) == 0) return false;
  if (Status written = write(fewer); !written) return tl::unexpected(written.error());
  roots_ = std::move(fewer);
  return true;
}

std::size_t Pins::count() const {
  const std::scoped_lock lock(mutex_);
  return roots_.size();
}

}  // namespace cidbus
