#include "tests/support/simulated_disk.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr ByteCount page_bytes = 4096;  // the grain of room
constexpr auto sectors_a_page = static_cast<unsigned>(page_bytes / sector_bytes);

using Page = std::array<std::uint8_t, page_bytes>;

std::string folder_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Pages never written are not there and read as zeros.
class Pages {
 public:
  [[nodiscard]] const Page* find(std::uint64_t number) const {
    const auto found = pages_.find(number);
    return found == pages_.end() ? nullptr : &found->second;
  }
  Page& at(std::uint64_t number) { return pages_.try_emplace(number, Page{}).first->second; }
  void cut(ByteCount bytes) {
    pages_.erase(pages_.lower_bound((bytes + page_bytes - 1) / page_bytes), pages_.end());
    if (bytes % page_bytes == 0) return;
    const auto last = pages_.find(bytes / page_bytes);
    if (last != pages_.end())
      std::fill(last->second.begin() + static_cast<long>(bytes % page_bytes), last->second.end(),
                std::uint8_t{0});
  }

 private:
  std::map<std::uint64_t, Page> pages_;
};

}  // namespace

struct SimulatedDisk::Node {
  Pages now;
  Pages durable;
  ByteCount size = 0;
  ByteCount durable_size = 0;
  std::map<std::uint64_t, unsigned>
      unsynced;                  // page -> a bit for each sector that differs from the durable copy
  std::set<std::uint64_t> room;  // pages that room is taken for
  std::optional<ByteCount> unreadable;

  void copy_sector(const Pages& from, Pages& to, std::uint64_t page, unsigned sector) {
    const Page* source = from.find(page);
    auto& target = to.at(page);
    const auto begin = static_cast<long>(sector * sector_bytes);
    if (source == nullptr) {
      std::fill_n(target.begin() + begin, sector_bytes, std::uint8_t{0});
    } else {
      std::copy_n(source->begin() + begin, sector_bytes, target.begin() + begin);
    }
  }
  void make_durable() {
    for (const auto& [page, sectors] : unsynced)
      for (unsigned sector = 0; sector < sectors_a_page; ++sector)
        if ((sectors >> sector & 1) != 0) copy_sector(now, durable, page, sector);
    unsynced.clear();
    if (durable_size > size) durable.cut(size);
    durable_size = size;
  }
  // Whatever lies behind `bytes` is no longer what the durable copy says.
  void mark_unsynced(ByteCount bytes) {
    for (ByteCount page = bytes / page_bytes; page * page_bytes < size; ++page)
      if (now.find(page) != nullptr) unsynced[page] |= (1U << sectors_a_page) - 1;
  }
  // Forgets what is unsynced without making it durable: what Linux does when a sync has failed.
  void forget_unsynced() { unsynced.clear(); }
  // What is not waiting to be written is read from the disk again.
  void forget_clean() {
    Pages fresh = durable;
    for (const auto& [page, sectors] : unsynced) {
      const Page* dirty = now.find(page);
      fresh.at(page) = dirty == nullptr ? Page{} : *dirty;
    }
    fresh.cut(size);
    now = std::move(fresh);
  }

  void power_cut(const std::function<bool()>& survives) {
    const ByteCount size_after = size != durable_size && survives() ? size : durable_size;
    for (const auto& [page, sectors] : unsynced)
      for (unsigned sector = 0; sector < sectors_a_page; ++sector)
        if ((sectors >> sector & 1) != 0 && survives()) copy_sector(now, durable, page, sector);
    unsynced.clear();
    durable.cut(size_after);
    durable_size = size = size_after;
    now = durable;
    room.erase(room.lower_bound((size + page_bytes - 1) / page_bytes), room.end());
    unreadable.reset();
  }

  void put(ByteCount offset, ByteView bytes) {
    while (!bytes.empty()) {
      const std::uint64_t number = offset / page_bytes;
      const ByteCount begin = offset % page_bytes;
      const auto count = std::min<ByteCount>(bytes.size(), page_bytes - begin);
      Page& page = now.at(number);
      std::copy_n(bytes.begin(), count, page.begin() + static_cast<long>(begin));
      for (ByteCount sector = begin / sector_bytes; sector <= (begin + count - 1) / sector_bytes; ++sector)
        unsynced[number] |= 1U << sector;
      offset += count;
      bytes = bytes.subspan(count);
    }
    size = std::max(size, offset);
  }
  [[nodiscard]] std::size_t get(ByteCount offset, std::span<std::uint8_t> into) const {
    if (offset >= size) return 0;
    into = into.first(std::min<ByteCount>(into.size(), size - offset));
    for (std::size_t done = 0; done < into.size();) {
      const ByteCount begin = (offset + done) % page_bytes;
      const auto count = std::min<ByteCount>(into.size() - done, page_bytes - begin);
      const Page* page = now.find((offset + done) / page_bytes);
      if (page == nullptr) {
        std::fill_n(into.begin() + static_cast<long>(done), count, std::uint8_t{0});
      } else {
        std::copy_n(page->begin() + static_cast<long>(begin), count, into.begin() + static_cast<long>(done));
      }
      done += count;
    }
    return into.size();
  }
};

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, SimulatedDisk::NodePointer node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)), generation_(disk.generation_) {}

  Status write(ByteCount offset, std::span<const ByteView> parts) override {
    if (broken_) return tl::unexpected(*broken_);
    Bytes bytes;
    for (const ByteView& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    const auto outcome = begin();
    if (outcome == Outcome::Dead) {
      // The cut may fall into the middle of a write; crash() then chooses among its sectors.
      if (is_the_cut_) node_->put(offset, bytes);
      return dead();
    }
    if (outcome == Outcome::Broken) return broken(outcome);
    if (outcome == Outcome::NoRoom) {
      const ByteView half = ByteView(bytes).first(bytes.size() / 2 / sector_bytes * sector_bytes);
      if (!half.empty() && take_room(offset, half.size())) node_->put(offset, half);
      return disk_.refuse(outcome, path_);
    }
    if (!take_room(offset, bytes.size())) {
      put_what_fits(offset, bytes);
      return disk_.refuse(Outcome::NoRoom, path_);
    }
    node_->put(offset, bytes);
    return {};
  }

  Result<std::size_t> read(ByteCount offset, std::span<std::uint8_t> into) override {
    if (generation_ != disk_.generation_) return tl::unexpected(dead_fault());
    if (node_->unreadable && *node_->unreadable >= offset && *node_->unreadable < offset + into.size())
      return fault(FaultKind::Failed, "cannot read " + path_ + " at " + std::to_string(offset) +
                                          ": Input/output error (simulated)");
    return node_->get(offset, into);
  }

  Status sync() override {
    if (broken_) return tl::unexpected(*broken_);
    const auto outcome = begin();
    if (outcome == Outcome::Dead) return dead();
    if (outcome != Outcome::Proceed) {
      node_->forget_unsynced();
      return broken(Outcome::Broken);
    }
    node_->make_durable();
    return {};
  }

  Status preallocate(ByteCount bytes) override {
    const auto outcome = begin();
    if (outcome == Outcome::Dead) return dead();
    if (outcome != Outcome::Proceed) return disk_.refuse(outcome, path_);
    if (!take_room(0, bytes)) return disk_.refuse(Outcome::NoRoom, path_);
    node_->size = std::max(node_->size, bytes);
    return {};
  }

  Status resize(ByteCount bytes) override {
    const auto outcome = begin();
    if (outcome == Outcome::Dead) return dead();
    if (outcome != Outcome::Proceed) return disk_.refuse(outcome, path_);
    if (bytes < node_->size) {
      node_->mark_unsynced(bytes);
      node_->now.cut(bytes);
      node_->room.erase(node_->room.lower_bound((bytes + page_bytes - 1) / page_bytes), node_->room.end());
    }
    node_->size = bytes;
    return {};
  }

  Result<ByteCount> size() override {
    if (generation_ != disk_.generation_) return tl::unexpected(dead_fault());
    return node_->size;
  }
  void forget_cache() override {
    if (generation_ == disk_.generation_) node_->forget_clean();
  }

 private:
  using Outcome = SimulatedDisk::Outcome;

  Outcome begin() {
    if (generation_ != disk_.generation_) {
      is_the_cut_ = false;
      return Outcome::Dead;
    }
    const bool power_was_on = !disk_.power_is_off_;
    const Outcome outcome = disk_.begin_operation();
    is_the_cut_ = power_was_on && outcome == Outcome::Dead;
    return outcome;
  }
  bool take_room(ByteCount offset, ByteCount count) {
    std::vector<std::uint64_t> pages;
    for (ByteCount page = offset / page_bytes; count != 0 && page <= (offset + count - 1) / page_bytes;
         ++page)
      if (!node_->room.contains(page)) pages.push_back(page);
    if (!disk_.take_room(pages.size() * page_bytes)) return false;
    node_->room.insert(pages.begin(), pages.end());
    return true;
  }
  void put_what_fits(ByteCount offset, ByteView bytes) {
    while (!bytes.empty()) {
      const auto count = std::min<ByteCount>(bytes.size(), page_bytes - offset % page_bytes);
      if (!take_room(offset, count)) return;
      node_->put(offset, bytes.first(count));
      offset += count;
      bytes = bytes.subspan(count);
    }
  }
  [[nodiscard]] static Fault dead_fault() {
    return {FaultKind::Failed, "the process of this file is dead (simulated)"};
  }
  [[nodiscard]] static Status dead() { return tl::unexpected(dead_fault()); }
  Status broken(Outcome outcome) {
    broken_ = disk_.refuse(outcome, path_).error();
    return tl::unexpected(*broken_);
  }

  SimulatedDisk& disk_;
  SimulatedDisk::NodePointer node_;
  std::string path_;
  std::uint64_t generation_;
  bool is_the_cut_ = false;  // the operation under way is the one at which the power went
  std::optional<Fault> broken_;
};

class SimulatedLock final : public DirectoryLock {
 public:
  SimulatedLock(SimulatedDisk& disk, std::string folder)
      : disk_(disk), folder_(std::move(folder)), generation_(disk.generation_) {}
  ~SimulatedLock() override {
    if (generation_ == disk_.generation_) disk_.locks_.erase(folder_);
  }

 private:
  SimulatedDisk& disk_;
  std::string folder_;
  std::uint64_t generation_;
};

SimulatedDisk::SimulatedDisk(ByteCount capacity) : capacity_(capacity) {}
SimulatedDisk::~SimulatedDisk() = default;

SimulatedDisk::Outcome SimulatedDisk::begin_operation() {
  const std::uint64_t number = operations_++;
  if (power_is_off_) return Outcome::Dead;
  if (!planned_ || planned_->first != number) return Outcome::Proceed;
  const DiskAccident accident = planned_->second;
  planned_.reset();
  accident_happened_ = true;
  switch (accident) {
    case DiskAccident::PowerCut:
      power_is_off_ = true;
      return Outcome::Dead;
    case DiskAccident::NoRoom:
      return Outcome::NoRoom;
    case DiskAccident::Broken:
      return Outcome::Broken;
  }
  return Outcome::Proceed;
}

Status SimulatedDisk::refuse(Outcome outcome, const std::string& path) const {
  if (outcome == Outcome::NoRoom)
    return fault(FaultKind::TryAgain, "cannot write " + path + ": No space left on device (simulated)");
  if (outcome == Outcome::Broken)
    return fault(FaultKind::Failed, "cannot write " + path + ": Input/output error (simulated)");
  return fault(FaultKind::Failed, "the power is off (simulated)");
}

bool SimulatedDisk::take_room(ByteCount bytes) { return used() + bytes <= capacity_ || bytes == 0; }

void SimulatedDisk::change_names(NameChange change) {
  for (const auto& [name, node] : change.names) {
    if (node) {
      names_[name] = node;
    } else {
      names_.erase(name);
    }
  }
  unsynced_names_.push_back(std::move(change));
}

Result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path) {
  const auto found = names_.find(path);
  if (found == names_.end())
    return fault(FaultKind::NotFound, "cannot open " + path + ": No such file or directory (simulated)");
  return std::make_unique<SimulatedFile>(*this, found->second, path);
}

Result<std::unique_ptr<File>> SimulatedDisk::create(const std::string& path) {
  const auto outcome = begin_operation();
  if (outcome != Outcome::Proceed) return tl::unexpected(refuse(outcome, path).error());
  auto made = std::make_shared<Node>();
  change_names({folder_of(path), {{path, made}}});
  return std::make_unique<SimulatedFile>(*this, made, path);
}

Status SimulatedDisk::create_directory(const std::string& path) {
  const auto outcome = begin_operation();
  return outcome == Outcome::Proceed ? Status{} : refuse(outcome, path);
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  ENSURE(folder_of(from) == folder_of(to), from, to);
  const auto outcome = begin_operation();
  if (outcome != Outcome::Proceed) return refuse(outcome, from);
  const auto found = names_.find(from);
  if (found == names_.end()) return fault(FaultKind::NotFound, "cannot rename " + from + " (simulated)");
  const NodePointer moved = found->second;
  change_names({folder_of(from), {{from, nullptr}, {to, moved}}});
  return {};
}

Status SimulatedDisk::remove(const std::string& path) {
  const auto outcome = begin_operation();
  if (outcome != Outcome::Proceed) return refuse(outcome, path);
  if (!names_.contains(path)) return fault(FaultKind::NotFound, "cannot remove " + path + " (simulated)");
  change_names({folder_of(path), {{path, nullptr}}});
  return {};
}

Status SimulatedDisk::sync_directory(const std::string& path) {
  const auto outcome = begin_operation();
  if (outcome != Outcome::Proceed) return refuse(outcome == Outcome::Dead ? outcome : Outcome::Broken, path);
  std::erase_if(unsynced_names_, [&](const NameChange& change) {
    if (change.folder != path) return false;
    for (const auto& [name, changed] : change.names) {
      if (changed) {
        durable_names_[name] = changed;
      } else {
        durable_names_.erase(name);
      }
    }
    return true;
  });
  return {};
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& path) {
  std::vector<std::string> found;
  for (const auto& [name, unused] : names_)
    if (folder_of(name) == path) found.push_back(name.substr(path.size() + 1));
  return found;
}

Result<DiskSpace> SimulatedDisk::space(const std::string&) {
  return DiskSpace{capacity_, capacity_ - std::min(capacity_, used())};
}

Result<std::unique_ptr<DirectoryLock>> SimulatedDisk::lock(const std::string& path) {
  if (power_is_off_) return tl::unexpected(refuse(Outcome::Dead, path).error());
  if (!locks_.try_emplace(path, generation_).second)
    return fault(FaultKind::TryAgain, "folder " + path + " is in use by another process (simulated)");
  return std::make_unique<SimulatedLock>(*this, path);
}

void SimulatedDisk::restart(const std::function<bool()>& survives) {
  for (const NameChange& change : unsynced_names_) {
    if (!survives()) continue;
    for (const auto& [name, changed] : change.names) {
      if (changed) {
        durable_names_[name] = changed;
      } else {
        durable_names_.erase(name);
      }
    }
  }
  unsynced_names_.clear();
  names_ = durable_names_;
  std::set<Node*> cut;  // a file may have two names
  for (const auto& [name, found] : names_)
    if (cut.insert(found.get()).second) found->power_cut(survives);
  kill();
}

void SimulatedDisk::crash(Prng& prng) {
  const std::uint64_t share = prng.below(5);  // of four: from nothing to everything
  restart([&prng, share] { return prng.chance(share, 4); });
}
void SimulatedDisk::crash_losing_all() {
  restart([] { return false; });
}
void SimulatedDisk::crash_keeping_all() {
  restart([] { return true; });
}

void SimulatedDisk::kill() {
  ++generation_;
  locks_.clear();
  planned_.reset();
  power_is_off_ = false;
  for (const auto& [name, found] : names_) found->unreadable.reset();
}

void SimulatedDisk::plan(std::uint64_t operation, DiskAccident accident) {
  planned_ = {operations_ + operation, accident};
  accident_happened_ = false;
}

SimulatedDisk::Node& SimulatedDisk::node(const std::string& path) const {
  const auto found = names_.find(path);
  ENSURE(found != names_.end(), "no file", path);
  return *found->second;
}

void SimulatedDisk::fail_reads(const std::string& path, ByteCount offset) { node(path).unreadable = offset; }

void SimulatedDisk::flip_bit(const std::string& path, ByteCount offset, unsigned bit) {
  Node& damaged = node(path);
  ENSURE(offset < damaged.size, path, offset);
  const auto mask = static_cast<std::uint8_t>(1U << bit);
  damaged.now.at(offset / page_bytes)[offset % page_bytes] ^= mask;
  damaged.durable.at(offset / page_bytes)[offset % page_bytes] ^= mask;
}

void SimulatedDisk::truncate(const std::string& path, ByteCount bytes) {
  Node& damaged = node(path);
  ENSURE(bytes <= damaged.size, path, bytes);
  damaged.now.cut(bytes);
  damaged.durable.cut(bytes);
  damaged.size = damaged.durable_size = bytes;
  damaged.unsynced.clear();
}

void SimulatedDisk::remove_file(const std::string& path) {
  ENSURE(names_.contains(path), "no file", path);
  names_.erase(path);
  durable_names_.erase(path);
}

std::vector<std::string> SimulatedDisk::paths() const {
  std::vector<std::string> found;
  for (const auto& [name, unused] : names_) found.push_back(name);
  return found;
}

bool SimulatedDisk::exists(const std::string& path) const { return names_.contains(path); }

Bytes SimulatedDisk::contents(const std::string& path) const {
  Bytes bytes(node(path).size);
  bytes.resize(node(path).get(0, bytes));
  return bytes;
}

ByteCount SimulatedDisk::used() const {
  std::set<const Node*> counted;
  ByteCount total = 0;
  for (const auto& [name, found] : names_)
    if (counted.insert(found.get()).second) total += found->room.size() * page_bytes;
  return total;
}

}  // namespace cidbus
