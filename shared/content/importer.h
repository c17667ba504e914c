// Turns files, symlinks and folders into UnixFS blocks, the same as Kubo does for the same profile.
//
// One importer is used for many nodes, so that its chunk buffer is made once. Memory: FileBuilder's and, for
// a folder, its entries.
//
// Thread rule: one owner; calls block for as long as source and sink do. Limits: those of the two builders.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/content/byte_stream.h"
#include "shared/content/directory_builder.h"
#include "shared/content/file_builder.h"

namespace cidbus {

// Told how many bytes were taken since it was last called. A fault ends the import with it.
using BytesTaken = std::function<Status(ByteCount)>;

class Importer {
 public:
  // Borrows the sink. The profile is copied.
  Importer(const ImportProfile& profile, BlockSink& sink);

  [[nodiscard]] const ImportProfile& profile() const { return profile_; }
  Result<ImportedNode> add_file(ByteSource& source, const BytesTaken& taken = {});
  // BadUsage when the target is empty or beyond limits::path_bytes.
  Result<ImportedNode> add_symlink(std::string_view target);
  Result<ImportedNode> add_directory(std::vector<DirectoryEntry> entries);

 private:
  Result<ImportedNode> take_all(ByteSource& source, const BytesTaken& taken);

  ImportProfile profile_;
  BlockSink& sink_;
  FileBuilder file_;
};

}  // namespace cidbus
