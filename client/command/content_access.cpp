#include "client/command/content_access.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "shared/content/quote.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

// Counts what goes through, and holds the import to --timeout.
class CountingSink final : public BlockSink {
 public:
  CountingSink(BlockSink& sink, Monotonic deadline) : sink_(sink), deadline_(deadline) {}
  Status put(const Cid& cid, ByteView bytes) override {
    if (read_clock().monotonic >= deadline_)
      return fault(FaultKind::TimedOut, "not added in the time given; give a longer --timeout");
    ++count;
    return sink_.put(cid, bytes);
  }
  std::uint64_t count = 0;

 private:
  BlockSink& sink_;
  const Monotonic deadline_;
};

ClientBlocksOptions blocks_options(const Context& context, std::uint32_t copies) {
  ClientBlocksOptions options;
  options.cluster = context.common().cluster;
  options.brokers = context.common().brokers;
  options.copies = copies;
  options.stopped = [&context] { return context.interrupted() != 0; };
  if (!context.common().timeout) return options;
  options.deadline = context.deadline();
  options.patience = *context.common().timeout;
  return options;
}

}  // namespace

struct ContentAccess::State {
  MemoryStore cache{client_cache_bytes, WhenFull::Evict};
  std::unique_ptr<BlockAccess> own;
  std::uint32_t copies = 0;
  std::unique_ptr<Reader> reader;
};

ContentAccess::ContentAccess(Context& context) : context_(context), state_(std::make_unique<State>()) {}
ContentAccess::~ContentAccess() = default;

BlockAccess& ContentAccess::blocks(std::uint32_t copies) {
  if (context_.environment().blocks != nullptr) return *context_.environment().blocks;
  if (state_->own == nullptr || state_->copies != copies) {
    state_->reader.reset();
    state_->own = open_client_blocks(context_.sockets(), blocks_options(context_, copies), state_->cache);
    state_->copies = copies;
  }
  return *state_->own;
}

Reader& ContentAccess::reader() {
  if (state_->reader == nullptr) state_->reader = std::make_unique<Reader>(blocks(AddOptions().copies));
  return *state_->reader;
}

Result<Added> ContentAccess::add(const std::filesystem::path& path, const AddOptions& options,
                                 const ImportProgress& progress) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::status(path, error))) {
    return fault(error.value() == EACCES ? FaultKind::NotAllowed : FaultKind::BadData,
                 in_quotes(path.native()) + ": " +
                     (error.value() == ELOOP ? error.message() : "no such file or folder") +
                     "; check the path");
  }
  BlockAccess& target = blocks(options.copies);
  CountingSink sink(target, context_.deadline());
  Importer importer(options.profile, sink);
  Added added;
  const ImportProgress counted = [&](ByteCount done, ByteCount total) -> Status {
    added.bytes = done;
    return progress ? progress(done, total) : Status();
  };
  const auto node = add_path(importer, path, {options.recursive, options.hidden, true}, counted);
  const Status flushed = target.flush();  // also after a fault: it ends the lot
  if (!node) return tl::unexpected(node.error());
  if (!flushed) return tl::unexpected(flushed.error());
  added.cid = node->cid;
  added.blocks = sink.count;
  return added;
}

Result<Cid> ContentAccess::add_input(const std::string& path) {
  AddOptions options;
  options.recursive = true;
  const auto added = add(path, options);
  if (!added) return tl::unexpected(added.error());
  return added->cid;
}

}  // namespace cidbus
