#include "shared/store/pack_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "shared/base/ensure.h"
#include "shared/store/block_key.h"
#include "shared/store/pack_file.h"

namespace cidbus {
namespace {

using PackNumber = std::uint32_t;

constexpr ByteCount least_pack_bytes = 1 << 20;  // however little the store may hold

struct Pack {
  std::shared_ptr<PackFile> file;
  std::uint64_t wanted = 0;  // bytes of records the index points to
};

// Where a block lies.
struct Place {
  PackNumber pack = 0;
  std::uint32_t size = 0;
  std::uint32_t check = 0;
  std::uint64_t offset = 0;
};

// One synced write in the making: heads of its own, payloads of the caller's.
struct Group {
  std::vector<Bytes> heads;
  std::vector<PackRecord> records;  // offsets from the group's start
  std::vector<ByteView> payloads;   // of the records
  std::uint64_t bytes = 0;

  void add(PackRecord::Kind kind, const Multihash& key, ByteView payload) {
    heads.push_back(encode_pack_head(kind, key, payload));
    PackRecord record{kind, key, static_cast<std::uint32_t>(payload.size()), 0, bytes};
    std::memcpy(&record.check, heads.back().data() + 12, sizeof(record.check));
    bytes = record.end();
    records.push_back(std::move(record));
    payloads.push_back(payload);
  }
  [[nodiscard]] bool empty() const { return records.empty(); }
};

class PackStore final : public BlockStore {
 public:
  PackStore(DiskStoreOptions options, ByteCount pack_bytes)
      : options_(std::move(options)), pack_bytes_(pack_bytes) {}

  Status open();

  Result<std::optional<Block>> get(const Cid& cid, Check check) override;
  Result<bool> has(const Cid& cid) override;
  PutReport put(std::span<const Block> blocks) override;
  Status remove(std::span<const Cid> cids) override;
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) override;
  [[nodiscard]] StoreCounts counts() const override;

 private:
  Status take_folder();
  Status load(PackNumber number, bool last);
  void tell_damage(const PackFile& file, std::span<const PackRecord> found, std::uint64_t end) const;
  void put_locked(std::span<const Block> blocks, PutReport& report, std::vector<BlockKey>& added);
  Status write(Group& group);
  Status begin_pack();
  Status seal_newest();
  Status empty_packs();
  Status empty_pack(PackNumber number);
  Status carry(PackNumber from, const PackRecord& record, Group& group,
               std::vector<std::shared_ptr<const std::uint8_t[]>>& held);
  Status delete_pack(PackNumber number);
  // The two that change the index. REQUIRES: index_lock_ is held.
  void enter(PackNumber pack, const PackRecord& record);
  void forget(const Multihash& key);

  const DiskStoreOptions options_;
  const ByteCount pack_bytes_;
  FileDescriptor lock_;

  std::mutex writing_;     // of the newest pack, from the look whether a key is there until it is synced
  PackNumber newest_ = 0;  // the pack that is written to; 0: none yet
  std::vector<PackRecord> newest_records_;  // what its index will hold
  std::vector<BlockKey> lost_;  // found damaged while a pack was emptied; told with the next removal

  mutable std::mutex index_lock_;  // of all below; held for a look, never while the disk works
  std::map<PackNumber, Pack> packs_;
  std::unordered_map<Multihash, Place> index_;
  ByteCount bytes_ = 0;  // of the blocks
};

std::uint64_t record_bytes(const Multihash& key, std::uint32_t size) {
  const PackRecord record{PackRecord::Kind::Block, key, size, 0, 0};
  return record.end();
}

// ---- opening

Status PackStore::take_folder() {
  if (Status made = make_store_folder(options_.folder); !made) return made;
  const std::string path = options_.folder + '/' + pack_lock_file;
  lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.is_open()) return errno_fault("open", path, errno);
  if (::flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return {};
  return fault(FaultKind::TryAgain,
               "the block store in " + options_.folder +
                   " is in use by another process; stop that one or choose another folder");
}

Status PackStore::open() {
  if (Status taken = take_folder(); !taken) return taken;
  const auto numbers = packs_in(options_.folder);
  if (!numbers) return tl::unexpected(numbers.error());
  for (const PackNumber number : *numbers) {
    if (Status loaded = load(number, number == numbers->back()); !loaded) return loaded;
  }
  return {};
}

// The last pack may end in a write that a crash broke off; nobody was told of that, so it is cut off.
Status PackStore::load(PackNumber number, bool last) {
  auto file = PackFile::open(options_.folder, number);
  if (!file) return tl::unexpected(file.error());
  packs_[number].file = *file;
  const auto indexed = (*file)->read_index();
  const std::uint64_t indexed_end = indexed && !indexed->empty() ? indexed->back().end() : 0;
  if (indexed && indexed_end <= (*file)->size()) {
    for (const PackRecord& record : *indexed) enter(number, record);
    return {};
  }
  std::vector<PackRecord> records;
  const auto end = (*file)->walk(last, [&](const PackRecord& record) { records.push_back(record); });
  if (!end) return tl::unexpected(end.error());
  for (const PackRecord& record : records) enter(number, record);
  tell_damage(**file, records, std::max(indexed_end, last ? *end : (*file)->size()));
  if (!last) {
    // Only saves the next walk: a full disk is no reason not to start.
    static_cast<void>((*file)->write_index(records));
    return {};
  }
  newest_ = number;
  newest_records_ = std::move(records);
  return (*file)->cut(*end);
}

// REQUIRES: `found` ascending; all that was written up to `end` should be among them.
void PackStore::tell_damage(const PackFile& file, std::span<const PackRecord> found,
                            std::uint64_t end) const {
  std::uint64_t lost = 0;
  std::uint64_t first = 0;
  std::uint64_t at = 0;
  const auto miss_up_to = [&](std::uint64_t next) {
    if (next > at && lost == 0) first = at;
    if (next > at) lost += next - at;
  };
  for (const PackRecord& record : found) {
    miss_up_to(record.offset);
    at = record.end();
  }
  miss_up_to(end);
  if (lost == 0 || !options_.on_damage) return;
  options_.on_damage(
      file.path() + " is damaged: " + std::to_string(lost) + " bytes, the first at " + std::to_string(first) +
      ", cannot be read; the blocks in them are lost here, and are fetched again from the nodes "
      "that hold copies; all other blocks are whole");
}

// ---- the index

void PackStore::enter(PackNumber pack, const PackRecord& record) {
  forget(record.key);
  if (record.kind == PackRecord::Kind::Removal) return;
  index_.emplace(record.key, Place{pack, record.size, record.check, record.offset});
  packs_[pack].wanted += record.end() - record.offset;
  bytes_ += record.size;
}

void PackStore::forget(const Multihash& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  if (const auto pack = packs_.find(found->second.pack); pack != packs_.end())
    pack->second.wanted -= record_bytes(key, found->second.size);
  bytes_ -= found->second.size;
  index_.erase(found);
}

// ---- reading

Result<std::optional<Block>> PackStore::get(const Cid& cid, Check check) {
  if (cid.is_identity()) return Block(cid, to_bytes(cid.identity_content()));
  const Multihash key = cid.multihash();
  PackRecord record;
  std::shared_ptr<PackFile> file;
  {
    const std::scoped_lock lock(index_lock_);
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    const Place& place = found->second;
    record = {PackRecord::Kind::Block, key, place.size, place.check, place.offset};
    file = packs_.at(place.pack).file;
  }
  auto bytes = file->read(record);
  if (!bytes) return tl::unexpected(std::move(bytes.error()));
  const ByteView view(bytes->get(), record.size);
  if (check == Check::Hash) {
    if (Status verified = verify(cid, view); !verified) return tl::unexpected(std::move(verified.error()));
  }
  return Block(cid, view, std::move(*bytes));
}

Result<bool> PackStore::has(const Cid& cid) {
  if (cid.is_identity()) return true;
  const std::scoped_lock lock(index_lock_);
  return index_.contains(cid.multihash());
}

Status PackStore::for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) {
  std::vector<std::pair<Multihash, ByteCount>> keys;
  {
    const std::scoped_lock lock(index_lock_);
    keys.reserve(index_.size());
    for (const auto& [key, place] : index_) keys.emplace_back(key, place.size);
  }
  for (const auto& [key, size] : keys) {
    if (!visit(key, size)) break;
  }
  return {};
}

StoreCounts PackStore::counts() const {
  std::uint64_t blocks = 0;
  ByteCount bytes = 0;
  {
    const std::scoped_lock lock(index_lock_);
    blocks = index_.size();
    bytes = bytes_;
  }
  return counts_of(options_, blocks, bytes);
}

// ---- writing

PutReport PackStore::put(std::span<const Block> blocks) {
  PutReport report;
  report.answers.assign(blocks.size(), PutAnswer::Stored);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    PutVerdict verdict = check_before_put(blocks[i]);
    if (verdict.answer) report.answers[i] = *verdict.answer;
    if (report.reason.empty()) report.reason = std::move(verdict.reason);
  }
  std::vector<BlockKey> added;
  {
    const std::scoped_lock lock(writing_);
    put_locked(blocks, report, added);
  }
  if (options_.listener && !added.empty()) options_.listener(added, {});
  return report;
}

void PackStore::put_locked(std::span<const Block> blocks, PutReport& report, std::vector<BlockKey>& added) {
  Group group;
  std::vector<std::size_t> places;      // of the group's blocks, in the caller's
  std::unordered_set<Multihash> named;  // so that a block handed in twice is written once
  ByteCount pending = 0;
  const auto refuse = [&](std::size_t place, std::string reason) {
    report.answers[place] = PutAnswer::NoRoom;
    if (report.reason.empty()) report.reason = std::move(reason);
  };
  const auto flush = [&] {
    if (const Status written = write(group); !written) {
      for (const std::size_t place : places) refuse(place, written.error().message);
    } else {
      for (const Multihash& key : named) added.push_back(block_key(key));
    }
    group = {};
    places.clear();
    named.clear();
    pending = 0;
  };
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (report.answers[i] != PutAnswer::Stored) continue;
    const ByteView bytes = blocks[i].bytes();
    const Multihash key = blocks[i].cid().multihash();
    if (pending + bytes.size() > limits::store_write_bytes) flush();
    if (*has(blocks[i].cid())) {
      report.answers[i] = PutAnswer::Present;
    } else if (named.contains(key)) {
      places.push_back(i);
    } else if (std::string refused = why_no_room(options_, bytes_ + pending, bytes.size());
               !refused.empty()) {
      refuse(i, std::move(refused));
    } else {
      named.insert(key);
      places.push_back(i);
      group.add(PackRecord::Kind::Block, key, bytes);
      pending += bytes.size();
    }
  }
  flush();
}

// Durable on return, and in the index.
Status PackStore::write(Group& group) {
  if (group.empty()) return {};
  if (newest_ != 0 && packs_[newest_].file->size() > 0 &&
      packs_[newest_].file->size() + group.bytes > pack_bytes_) {
    if (Status sealed = seal_newest(); !sealed) return sealed;
  }
  if (newest_ == 0) {
    if (Status begun = begin_pack(); !begun) return begun;
  }
  PackFile& file = *packs_[newest_].file;
  std::vector<ByteView> parts;
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    parts.emplace_back(group.heads[i]);
    parts.push_back(group.payloads[i]);
    group.records[i].offset += file.size();
  }
  if (Status appended = file.append(parts); !appended) return appended;
  const std::scoped_lock lock(index_lock_);
  for (PackRecord& record : group.records) {
    enter(newest_, record);
    newest_records_.push_back(std::move(record));
  }
  return {};
}

Status PackStore::begin_pack() {
  const PackNumber number = packs_.empty() ? 1 : packs_.rbegin()->first + 1;
  auto file = PackFile::open(options_.folder, number);
  if (!file) return tl::unexpected(file.error());
  const std::scoped_lock lock(index_lock_);
  packs_[number].file = std::move(*file);
  newest_ = number;
  return {};
}

Status PackStore::seal_newest() {
  if (Status indexed = packs_[newest_].file->write_index(newest_records_); !indexed) return indexed;
  newest_ = 0;
  newest_records_.clear();
  return {};
}

// ---- removing

Status PackStore::remove(std::span<const Cid> cids) {
  std::vector<BlockKey> removed;
  Status emptied;
  {
    const std::scoped_lock lock(writing_);
    Group group;
    std::unordered_set<Multihash> named;
    for (const Cid& cid : cids) {
      if (cid.is_identity() || !*has(cid) || !named.insert(cid.multihash()).second) continue;
      group.add(PackRecord::Kind::Removal, cid.multihash(), {});
      removed.push_back(block_key(cid));
    }
    if (group.empty()) return {};
    if (Status written = write(group); !written) return written;
    emptied = empty_packs();
    removed.insert(removed.end(), lost_.begin(), lost_.end());
    lost_.clear();
  }
  if (options_.listener) options_.listener({}, removed);
  return emptied;
}

Status PackStore::empty_packs() {
  PackNumber half = 0;  // 0: none
  std::vector<PackNumber> unwanted;
  for (const auto& [number, pack] : packs_) {
    if (number == newest_ || pack.wanted * 2 > pack.file->size()) continue;
    if (pack.wanted == 0 && number == packs_.begin()->first) unwanted.push_back(number);
    if (half == 0) half = number;
  }
  for (const PackNumber number : unwanted) {
    if (Status deleted = delete_pack(number); !deleted) return deleted;
    if (half == number) half = 0;
  }
  return half != 0 ? empty_pack(half) : Status{};
}

// What is wanted of it is synced in the newest pack before it goes; a crash between the two leaves both.
Status PackStore::empty_pack(PackNumber number) {
  std::vector<PackRecord> records;
  const auto walked =
      packs_[number].file->walk(false, [&](const PackRecord& record) { records.push_back(record); });
  if (!walked) return tl::unexpected(walked.error());
  Group group;
  std::vector<std::shared_ptr<const std::uint8_t[]>> held;  // what the group's payloads point into
  for (const PackRecord& record : records) {
    if (Status carried = carry(number, record, group, held); !carried) return carried;
    if (group.bytes < limits::store_write_bytes) continue;
    if (Status written = write(group); !written) return written;
    group = {};
    held.clear();
  }
  if (Status written = write(group); !written) return written;
  return delete_pack(number);
}

// A block that is damaged stays behind: it is gone, and whoever asks for it fetches it elsewhere.
Status PackStore::carry(PackNumber from, const PackRecord& record, Group& group,
                        std::vector<std::shared_ptr<const std::uint8_t[]>>& held) {
  const auto found = index_.find(record.key);
  if (record.kind == PackRecord::Kind::Removal) {
    const bool may_be_older = from != packs_.begin()->first;
    if (may_be_older && found == index_.end()) group.add(PackRecord::Kind::Removal, record.key, {});
    return {};
  }
  if (found == index_.end() || found->second.pack != from || found->second.offset != record.offset) return {};
  auto bytes = packs_[from].file->read(record);
  if (!bytes && bytes.error().kind != FaultKind::BadData) return tl::unexpected(std::move(bytes.error()));
  if (!bytes) {
    const std::scoped_lock lock(index_lock_);
    lost_.push_back(block_key(record.key));
    forget(record.key);
    return {};
  }
  held.push_back(std::move(*bytes));
  group.add(PackRecord::Kind::Block, record.key, {held.back().get(), record.size});
  return {};
}

Status PackStore::delete_pack(PackNumber number) {
  if (Status removed = packs_[number].file->remove(); !removed) return removed;
  const std::scoped_lock lock(index_lock_);
  if (packs_[number].wanted > 0) {  // what a damaged head has hidden from the walk
    std::vector<Multihash> hidden;
    for (const auto& [key, place] : index_) {
      if (place.pack == number) hidden.push_back(key);
    }
    for (const Multihash& key : hidden) {
      lost_.push_back(block_key(key));
      forget(key);
    }
  }
  packs_.erase(number);
  return {};
}

}  // namespace

Result<std::unique_ptr<BlockStore>> open_pack_store(DiskStoreOptions options, ByteCount pack_bytes) {
  // Of a small store a pack is a small part, so that the disk it takes stays near what it may hold.
  pack_bytes = std::min(pack_bytes, std::max(options.capacity_bytes / 4, least_pack_bytes));
  auto store = std::make_unique<PackStore>(std::move(options), pack_bytes);
  if (Status opened = store->open(); !opened) return tl::unexpected(std::move(opened.error()));
  return store;
}

}  // namespace cidbus
