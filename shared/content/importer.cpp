#include "shared/content/importer.h"

#include <utility>

#include "shared/content/quote.h"

namespace cidbus {

Importer::Importer(const ImportProfile& profile, BlockSink& sink)
    : profile_(profile), sink_(sink), file_(profile, sink) {}

Result<ImportedNode> Importer::add_file(ByteSource& source, const BytesTaken& taken) {
  auto node = take_all(source, taken);
  if (!node) file_.discard();
  return node;
}

Result<ImportedNode> Importer::take_all(ByteSource& source, const BytesTaken& taken) {
  for (;;) {
    const auto count = source.read(file_.space());
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) return file_.finish();
    if (auto committed = file_.commit(*count); !committed) return tl::unexpected(committed.error());
    if (!taken) continue;
    if (auto told = taken(*count); !told) return tl::unexpected(told.error());
  }
}

Result<ImportedNode> Importer::add_symlink(std::string_view target) {
  if (target.empty() || target.size() > limits::path_bytes) {
    return fault(FaultKind::BadUsage, "a symlink to " + in_quotes(target) +
                                          " has no place in a DAG: a target has 1 to " +
                                          std::to_string(limits::path_bytes) + " bytes");
  }
  UnixFsData data;
  data.type = UnixFsType::Symlink;
  data.data = as_bytes(target);
  const auto put = put_node(profile_, sink_, {}, data);
  if (!put) return tl::unexpected(put.error());
  return ImportedNode{put->cid, NodeKind::Symlink, target.size(), put->block_bytes, 0};
}

Result<ImportedNode> Importer::add_directory(std::vector<DirectoryEntry> entries) {
  DirectoryBuilder builder(profile_, sink_);
  for (DirectoryEntry& entry : entries) {
    if (auto added = builder.add(std::move(entry)); !added) return tl::unexpected(added.error());
  }
  return builder.finish();
}

}  // namespace cidbus
