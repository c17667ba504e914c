// What a handler sees of content: files behind CIDs, over this node's store and the whole cluster.
//
// Invariant: what write() stored is durable, with its copies, only after flush(); a task completes after
// that.
//
// Thread rule: one slot's thread. Limits: those of Reader and Importer.
#pragma once

#include "shared/content/importer.h"
#include "shared/content/reader.h"
#include "shared/exchange/network_blocks.h"
#include "worker/handlers/handler.h"
#include "worker/pins.h"

namespace cidbus {

class TaskContent : public Content {
 public:
  // Borrows the blocks, the node's own store, which is theirs too, and its pins.
  TaskContent(NetworkBlocks& blocks, BlockStore& own, Pins& pins);

  Result<Bytes> read(const Cid& input, ByteCount limit) override;
  Status stream(const Cid& input, const std::function<Status(ByteView)>& sink) override;
  Result<Cid> write(ByteView bytes) override;
  Result<Cid> write_stream(ByteSource& source) override;
  Result<Cid> write_folder(const std::filesystem::path& folder) override;
  Result<DagSize> keep(const Cid& root, const std::function<bool()>& cancelled) override;
  Result<bool> pin(const Cid& root) override { return pins_.add(root); }
  Result<bool> unpin(const Cid& root) override { return pins_.remove(root); }
  Status export_to(const Cid& input, NodeKind kind, const std::filesystem::path& destination,
                   ByteCount limit) override;

  // Every block written since the last flush is synced on as many nodes as it should be.
  Status flush();

 private:
  NetworkBlocks& blocks_;
  BlockStore& own_;
  Pins& pins_;
  Reader reader_;
  Importer importer_;
  bool wrote_ = false;
};

}  // namespace cidbus
