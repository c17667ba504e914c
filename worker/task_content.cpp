#include "worker/task_content.h"

#include <sys/fsuid.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "shared/base/limits/exchange.h"
#include "shared/content/filesystem_export.h"
#include "shared/content/filesystem_import.h"

namespace cidbus {
namespace {

class FunctionSink : public ByteSink {
 public:
  explicit FunctionSink(const std::function<Status(ByteView)>& write_to) : write_(write_to) {}
  Status write(ByteView bytes) override { return write_(bytes); }

 private:
  const std::function<Status(ByteView)>& write_;
};

// Files are made as whoever the thread is just now (a program's user); the store is the worker's own.
class AsWorker final : public BlockSource {
 public:
  explicit AsWorker(BlockSource& source) : source_(source) {}
  Result<Block> get(const Cid& cid) override {
    const Own own;
    return source_.get(cid);
  }
  void prefetch(std::span<const Cid> cids) override {
    const Own own;
    source_.prefetch(cids);
  }

 private:
  struct Own {
    Own() : user(::setfsuid(::geteuid())), group(::setfsgid(::getegid())) {}
    ~Own() {
      ::setfsgid(static_cast<gid_t>(group));
      ::setfsuid(static_cast<uid_t>(user));
    }
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;
    int user;  // as it was
    int group;
  };
  BlockSource& source_;
};

tl::unexpected<Fault> too_large(const Cid& input, ByteCount size, ByteCount limit) {
  return fault(FaultKind::BadData, to_text(input) + " has " + std::to_string(size) +
                                       " bytes, more than the " + std::to_string(limit) +
                                       " this task type takes");
}

}  // namespace

TaskContent::TaskContent(NetworkBlocks& blocks, BlockStore& own, Pins& pins)
    : blocks_(blocks), own_(own), pins_(pins), reader_(blocks), importer_(default_profile, blocks) {}

Result<Bytes> TaskContent::read(const Cid& input, ByteCount limit) {
  const auto stat = reader_.stat(input);
  if (!stat) return tl::unexpected(stat.error());
  if (stat->size > limit) return too_large(input, stat->size, limit);
  Bytes bytes;
  bytes.reserve(stat->size);
  const Status streamed = stream(input, [&](ByteView part) -> Status {
    bytes.insert(bytes.end(), part.begin(), part.end());
    return {};
  });
  if (!streamed) return tl::unexpected(streamed.error());
  return bytes;
}

Status TaskContent::stream(const Cid& input, const std::function<Status(ByteView)>& sink) {
  FunctionSink out(sink);
  const auto read = reader_.read(input, {}, out);
  if (!read) return tl::unexpected(read.error());
  return {};
}

Result<Cid> TaskContent::write(ByteView bytes) {
  MemorySource source(bytes);
  return write_stream(source);
}

Result<Cid> TaskContent::write_stream(ByteSource& source) {
  wrote_ = true;
  const auto added = importer_.add_file(source);
  if (!added) return tl::unexpected(added.error());
  return added->cid;
}

Result<Cid> TaskContent::write_folder(const std::filesystem::path& folder) {
  wrote_ = true;
  const auto added = add_path(importer_, folder, {.recursive = true, .include_hidden = true});
  if (!added) return tl::unexpected(added.error());
  return added->cid;
}

Result<DagSize> TaskContent::keep(const Cid& root, const std::function<bool()>& cancelled) {
  DagSize size;
  std::vector<Block> batch;
  ByteCount batch_bytes = 0;
  const auto put_batch = [&]() -> Status {
    batch_bytes = 0;
    return to_status(own_.put(std::exchange(batch, {})));
  };
  const Status walked = walk_blocks(blocks_, root, [&](const Block& block) -> Status {
    if (cancelled()) return fault(FaultKind::TryAgain, "stopped before it was done");
    ++size.blocks;
    size.bytes += block.bytes().size();
    const auto here = own_.has(block.cid());
    if (!here) return tl::unexpected(here.error());
    if (*here) return {};
    batch.push_back(block);
    batch_bytes += block.bytes().size();
    return batch_bytes < limits::store_write_bytes / 2 ? Status() : put_batch();
  });
  if (!walked) return tl::unexpected(walked.error());
  if (Status put = put_batch(); !put) return tl::unexpected(put.error());
  return size;
}

Status TaskContent::export_to(const Cid& input, NodeKind kind, const std::filesystem::path& destination,
                              ByteCount limit) {
  AsWorker source(blocks_);
  Reader reader(source);
  const auto stat = reader.stat(input);
  if (!stat) return tl::unexpected(stat.error());
  if (stat->kind != kind) {
    return fault(FaultKind::BadUsage, to_text(input) + " is a " + to_text(stat->kind) +
                                          "; this task type takes a " + to_text(kind));
  }
  const ByteCount size = kind == NodeKind::File ? stat->size : stat->cumulative_size;
  if (size > limit) return too_large(input, size, limit);
  return export_path(reader, input, destination);
}

Status TaskContent::flush() {
  if (!wrote_) return {};
  wrote_ = false;
  return blocks_.flush();
}

}  // namespace cidbus
