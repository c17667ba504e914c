#include "shared/store/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_set>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/store/block_key.h"

namespace cidbus {

namespace {

constexpr std::size_t table_cache_bytes = 8 << 20;
constexpr int open_files = 256;
constexpr auto sizes_family = "sizes";

rocksdb::Slice to_slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView to_view(const rocksdb::Slice& slice) {
  return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

// RocksDB's messages may hold line breaks and paths twice; a person gets one line.
std::string one_line(const rocksdb::Status& status) {
  std::string text = status.ToString();
  std::ranges::replace(text, '\n', ' ');
  return text.substr(0, 300);
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kNoCompression;
  options.max_write_buffer_number = 2;
  return options;
}

rocksdb::ColumnFamilyOptions block_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto options = family_options(cache);
  options.write_buffer_size = limits::store_write_buffers / 2;
  options.enable_blob_files = true;
  options.min_blob_size = 0;
  options.blob_compression_type = rocksdb::kNoCompression;
  options.enable_blob_garbage_collection = true;
  return options;
}

rocksdb::ColumnFamilyOptions size_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto options = family_options(cache);
  options.write_buffer_size = 4 << 20;
  return options;
}

// RocksDB would look every 5 seconds whether a full disk has room again, and go on by its own Resume, which
// we cannot use (RocksDbStore::write_synced); the next put knows sooner.
class NoRecoveryOfItsOwn final : public rocksdb::EventListener {
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.db_write_buffer_size = limits::store_write_buffers;
  options.atomic_flush = true;  // a log may go as soon as the blocks in it are in a blob file
  options.listeners.push_back(std::make_shared<NoRecoveryOfItsOwn>());
  options.max_open_files = open_files;
  options.max_background_jobs = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 4 << 20;
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::string encode_size(ByteCount size) {
  Bytes bytes;
  ByteWriter(bytes).varint(size);
  return std::string(as_text(bytes));
}
ByteCount decode_size(const rocksdb::Slice& slice) { return ByteReader(to_view(slice)).varint(); }

// A value read without copying; the cache is held because the value may be pinned in it.
struct PinnedValue {
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::PinnableSlice slice;
};

class RocksDbStore final : public BlockStore {
 public:
  RocksDbStore(DiskStoreOptions options, std::shared_ptr<rocksdb::Cache> cache)
      : options_(std::move(options)), cache_(std::move(cache)) {}
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;
  ~RocksDbStore() override;

  Status open();

  Result<std::optional<Block>> get(const Cid& cid, Check check) override;
  Result<bool> has(const Cid& cid) override;
  PutReport put(std::span<const Block> blocks) override;
  Status remove(std::span<const Cid> cids) override;
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) override;
  [[nodiscard]] StoreCounts counts() const override;

 private:
  // One synced write in the making.
  struct Pending {
    rocksdb::WriteBatch batch;
    std::vector<std::size_t> places;      // in the caller's blocks
    std::unordered_set<Multihash> named;  // so that a block handed in twice is written once
    ByteCount bytes = 0;
  };

  enum class Access : std::uint8_t { Write, Read };
  rocksdb::Status open_database(Access access);
  void close_database();
  [[nodiscard]] bool has_room_to_open() const;
  bool open_anew();
  void put_locked(std::span<const Block> blocks, PutReport& report, std::vector<BlockKey>& added);
  void add_to(Pending& pending, const Block& block, std::size_t place);
  void write_pending(Pending& pending, PutReport& report, std::vector<BlockKey>& added);
  rocksdb::Status write_synced(rocksdb::WriteBatch& batch);
  rocksdb::Status size_of(const Multihash& multihash, std::optional<ByteCount>& size) const;
  Status visit_all(const std::function<bool(const Multihash&, ByteCount)>& visit);
  Status count_all();
  [[nodiscard]] Fault trouble(const rocksdb::Status& status) const;

  const DiskStoreOptions options_;
  const std::shared_ptr<rocksdb::Cache> cache_;  // shared with the tables and with values still pinned

  // Shared by those who read, and held alone by who opens the database anew, who also holds writing_.
  std::shared_mutex opening_;
  std::unique_ptr<rocksdb::DB> database_;  // null only when it could not be opened anew, even to read
  bool writable_ = false;                  // it is open, and not for reading alone; writing_ guards it
  rocksdb::ColumnFamilyHandle* blocks_ = nullptr;  // multihash -> bytes, in blob files
  rocksdb::ColumnFamilyHandle* sizes_ = nullptr;   // multihash -> varint of the size; same keys, always

  // Held from the look whether a key is there until it is written: it keeps the two counts true.
  std::mutex writing_;
  std::atomic<std::uint64_t> block_count_ = 0;
  std::atomic<ByteCount> bytes_ = 0;
};

RocksDbStore::~RocksDbStore() { close_database(); }

void RocksDbStore::close_database() {
  if (!database_) return;
  database_->DestroyColumnFamilyHandle(blocks_);
  database_->DestroyColumnFamilyHandle(sizes_);
  database_->Close().PermitUncheckedError();  // everything acknowledged is synced already
  database_.reset();
  writable_ = false;
}

Status RocksDbStore::open() {
  if (Status made = make_store_folder(options_.folder); !made) return made;
  // A node with a full disk serves what it has, and takes more once there is room. To open it for writing
  // needs room, without which RocksDB ends the process here too (write_synced).
  const bool room = has_room_to_open();
  const auto status = open_database(room ? Access::Write : Access::Read);
  if (status.ok()) return count_all();
  if (!room) return tl::unexpected(trouble(rocksdb::Status::NoSpace()));
  if (status.IsIOError() && status.ToString().find("LOCK") != std::string::npos) {
    return fault(FaultKind::TryAgain,
                 "the block store in " + options_.folder +
                     " is in use by another process; stop that one or choose another folder");
  }
  return tl::unexpected(trouble(status));
}

rocksdb::Status RocksDbStore::open_database(Access access) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, block_options(cache_));
  families.emplace_back(sizes_family, size_options(cache_));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* database = nullptr;
  const auto status =
      access == Access::Write
          ? rocksdb::DB::Open(database_options(), options_.folder, families, &handles, &database)
          : rocksdb::DB::OpenForReadOnly(database_options(), options_.folder, families, &handles, &database);
  if (!status.ok()) return status;
  database_.reset(database);
  writable_ = access == Access::Write;
  blocks_ = handles.at(0);
  sizes_ = handles.at(1);
  return status;
}

// For what its logs hold, written out, and for one write more.
bool RocksDbStore::has_room_to_open() const {
  return free_disk_bytes(options_.folder) >= limits::store_write_buffers + limits::store_write_bytes;
}

// False while there is too little room, and when it did not do after all: what is there stays readable then.
// Readers wait meanwhile.
bool RocksDbStore::open_anew() {
  if (!has_room_to_open()) return false;
  const std::scoped_lock lock(opening_);
  close_database();
  if (open_database(Access::Write).ok() && count_all()) return true;
  close_database();
  open_database(Access::Read).PermitUncheckedError();
  return false;
}

Status RocksDbStore::count_all() {
  std::uint64_t blocks = 0;
  ByteCount bytes = 0;
  const Status counted = visit_all([&](const Multihash&, ByteCount size) {
    ++blocks;
    bytes += size;
    return true;
  });
  block_count_ = blocks;
  bytes_ = bytes;
  return counted;
}

Result<std::optional<Block>> RocksDbStore::get(const Cid& cid, Check check) {
  if (cid.is_identity()) return Block(cid, to_bytes(cid.identity_content()));
  auto value = std::make_shared<PinnedValue>();
  value->cache = cache_;
  const std::shared_lock lock(opening_);
  if (!database_) return tl::unexpected(trouble(rocksdb::Status::NoSpace()));
  const auto status =
      database_->Get(rocksdb::ReadOptions(), blocks_, to_slice(cid.multihash_bytes()), &value->slice);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return tl::unexpected(trouble(status));
  const ByteView bytes = to_view(value->slice);
  if (check == Check::Hash) {
    if (Status verified = verify(cid, bytes); !verified) return tl::unexpected(std::move(verified.error()));
  }
  return Block(cid, bytes, std::move(value));
}

Result<bool> RocksDbStore::has(const Cid& cid) {
  if (cid.is_identity()) return true;
  std::optional<ByteCount> size;
  const std::shared_lock lock(opening_);
  const auto status = size_of(cid.multihash(), size);
  if (!status.ok()) return tl::unexpected(trouble(status));
  return size.has_value();
}

rocksdb::Status RocksDbStore::size_of(const Multihash& multihash, std::optional<ByteCount>& size) const {
  if (!database_) return rocksdb::Status::NoSpace();
  rocksdb::PinnableSlice value;
  const auto status = database_->Get(rocksdb::ReadOptions(), sizes_, to_slice(multihash.bytes()), &value);
  if (status.IsNotFound()) return rocksdb::Status::OK();
  if (status.ok()) size = decode_size(value);
  return status;
}

PutReport RocksDbStore::put(std::span<const Block> blocks) {
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
    if (!database_) open_anew();
    put_locked(blocks, report, added);
  }
  if (options_.listener && !added.empty()) options_.listener(added, {});
  return report;
}

void RocksDbStore::put_locked(std::span<const Block> blocks, PutReport& report,
                              std::vector<BlockKey>& added) {
  Pending pending;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (report.answers[i] != PutAnswer::Stored) continue;
    const ByteCount size = blocks[i].bytes().size();
    if (pending.bytes + size > limits::store_write_bytes) write_pending(pending, report, added);
    std::optional<ByteCount> known;
    const auto status = size_of(blocks[i].cid().multihash(), known);
    std::string refused =
        status.ok() ? why_no_room(options_, bytes_ + pending.bytes, size) : trouble(status).message;
    if (known) {
      report.answers[i] = PutAnswer::Present;
    } else if (!refused.empty()) {
      report.answers[i] = PutAnswer::NoRoom;
      if (report.reason.empty()) report.reason = std::move(refused);
    } else {
      add_to(pending, blocks[i], i);
    }
  }
  write_pending(pending, report, added);
}

void RocksDbStore::add_to(Pending& pending, const Block& block, std::size_t place) {
  pending.places.push_back(place);
  if (!pending.named.insert(block.cid().multihash()).second) return;
  const rocksdb::Slice key = to_slice(block.cid().multihash_bytes());
  const auto first = pending.batch.Put(blocks_, key, to_slice(block.bytes()));
  const auto second = pending.batch.Put(sizes_, key, encode_size(block.bytes().size()));
  ENSURE(first.ok() && second.ok(), first.ToString(), second.ToString());
  pending.bytes += block.bytes().size();
}

void RocksDbStore::write_pending(Pending& pending, PutReport& report, std::vector<BlockKey>& added) {
  if (pending.places.empty()) return;
  const auto status = write_synced(pending.batch);
  if (status.ok()) {
    block_count_ += pending.named.size();
    bytes_ += pending.bytes;
    for (const Multihash& multihash : pending.named) added.push_back(block_key(multihash));
  } else {
    for (const std::size_t place : pending.places) report.answers[place] = PutAnswer::NoRoom;
    if (report.reason.empty()) report.reason = trouble(status).message;
  }
  pending = Pending();
}

// A failed write leaves RocksDB refusing all others, so that its log stays whole. Its Resume is no way out:
// when that write was the first of its log, RocksDB 7.8 goes on with that log, against an assertion of its
// own, which Debian's build has on: the process would end. So it is opened anew, once there is room for what
// its log holds.
rocksdb::Status RocksDbStore::write_synced(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (!writable_ && !open_anew()) return rocksdb::Status::NoSpace();
  auto status = database_->Write(synced, &batch);
  if (status.ok() || !open_anew()) return status;
  return database_->Write(synced, &batch);
}

Status RocksDbStore::remove(std::span<const Cid> cids) {
  std::vector<BlockKey> removed;
  {
    const std::scoped_lock lock(writing_);
    if (!database_) open_anew();
    rocksdb::WriteBatch batch;
    std::unordered_set<Multihash> named;
    ByteCount bytes = 0;
    for (const Cid& cid : cids) {
      const Multihash multihash = cid.multihash();
      std::optional<ByteCount> size;
      const auto status = size_of(multihash, size);
      if (!status.ok()) return tl::unexpected(trouble(status));
      if (!size || !named.insert(multihash).second) continue;
      const auto first = batch.Delete(blocks_, to_slice(multihash.bytes()));
      const auto second = batch.Delete(sizes_, to_slice(multihash.bytes()));
      ENSURE(first.ok() && second.ok(), first.ToString(), second.ToString());
      bytes += *size;
      removed.push_back(block_key(multihash));
    }
    if (removed.empty()) return {};
    const auto status = write_synced(batch);
    if (!status.ok()) return tl::unexpected(trouble(status));
    block_count_ -= removed.size();
    bytes_ -= bytes;
  }
  if (options_.listener) options_.listener({}, removed);
  return {};
}

Status RocksDbStore::for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) {
  const std::shared_lock lock(opening_);
  return visit_all(visit);
}

Status RocksDbStore::visit_all(const std::function<bool(const Multihash&, ByteCount)>& visit) {
  if (!database_) return tl::unexpected(trouble(rocksdb::Status::NoSpace()));
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 1 << 20;
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options, sizes_));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto multihash = Multihash::from_bytes(to_view(at->key()));
    if (!multihash) return fault(FaultKind::BadData, "a key of the block store is not a multihash");
    if (!visit(*multihash, decode_size(at->value()))) return {};
  }
  if (!at->status().ok()) return tl::unexpected(trouble(at->status()));
  return {};
}

StoreCounts RocksDbStore::counts() const { return counts_of(options_, block_count_, bytes_); }

Fault RocksDbStore::trouble(const rocksdb::Status& status) const {
  const std::string where = "the block store in " + options_.folder;
  if (status.IsNoSpace()) {
    return {FaultKind::TryAgain, "the disk of " + where + " is full; free some room or add a worker"};
  }
  if (status.IsCorruption()) {
    return {FaultKind::BadData, where + " is damaged (" + one_line(status) +
                                    "); move it away, the cluster copies its blocks again"};
  }
  return {FaultKind::Failed,
          where + " cannot be used (" + one_line(status) + "); see to the disk and restart"};
}

}  // namespace

Result<std::unique_ptr<BlockStore>> open_rocksdb_store(DiskStoreOptions options) {
  auto store = std::make_unique<RocksDbStore>(std::move(options), rocksdb::NewLRUCache(table_cache_bytes));
  if (Status opened = store->open(); !opened) return tl::unexpected(std::move(opened.error()));
  return store;
}

}  // namespace cidbus
