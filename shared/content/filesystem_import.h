// Imports a file, a symlink or a folder with all below it from the file system.
//
// Symlinks are kept as symlinks, modes and times are left out, hidden names (beginning with '.') below the
// path given are left out unless asked for, empty folders are kept: as the profiles say. Sockets, pipes and
// devices end the import with a fault that names them, since a folder without them would not be the folder
// asked for.
//
// Thread rule: as Importer. Limits: limits::dag_depth levels from root to leaf, so that whatever was imported
// can be walked; limits::directory_entries in a folder; one open file at a time.
#pragma once

#include <filesystem>
#include <functional>

#include "shared/base/limits/content.h"
#include "shared/content/importer.h"

namespace cidbus {

struct PathImportOptions {
  bool recursive = false;       // false: a folder is BadUsage
  bool include_hidden = false;  // names below the path that begin with '.'
  bool follow_path_link =
      false;  // import what the path itself links to; links below it are always kept as links
};

// Told after every read. `total` is what the files' sizes added up to before the start, or `done` where they
// have grown beyond it since. A fault ends the import with it.
using ImportProgress = std::function<Status(ByteCount done, ByteCount total)>;

// NotFound, NotAllowed and so on name the path they are about.
Result<ImportedNode> add_path(Importer& importer, const std::filesystem::path& path,
                              const PathImportOptions& options, const ImportProgress& progress = {});

}  // namespace cidbus
