#include "worker/task_content.h"

namespace cidbus {
namespace {

class FunctionSink : public ByteSink {
 public:
  explicit FunctionSink(const std::function<Status(ByteView)>& write_to) : write_(write_to) {}
  Status write(ByteView bytes) override { return write_(bytes); }

 private:
  const std::function<Status(ByteView)>& write_;
};

}  // namespace

TaskContent::TaskContent(NetworkBlocks& blocks)
    : blocks_(blocks), reader_(blocks), importer_(default_profile, blocks) {}

Result<Bytes> TaskContent::read(const Cid& input, ByteCount limit) {
  const auto stat = reader_.stat(input);
  if (!stat) return tl::unexpected(stat.error());
  if (stat->size > limit) {
    return fault(FaultKind::BadData, to_text(input) + " has " + std::to_string(stat->size) +
                                         " bytes, more than the " + std::to_string(limit) +
                                         " this task type takes");
  }
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
  wrote_ = true;
  MemorySource source(bytes);
  const auto added = importer_.add_file(source);
  if (!added) return tl::unexpected(added.error());
  return added->cid;
}

Status TaskContent::flush() {
  if (!wrote_) return {};
  wrote_ = false;
  return blocks_.flush();
}

}  // namespace cidbus
