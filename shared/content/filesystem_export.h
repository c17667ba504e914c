// Writes a DAG to the file system: a file, a folder with all below it, or a symlink.
//
// Invariants: 1. the destination appears whole or not at all: everything is written beside it under a name of
// its own and renamed at the end. 2. nothing is ever written outside of it: names with '/', NUL, "." and ".."
// end the export, no symlink is followed, no existing file is opened. 3. symlinks are made with the target
// they have, wherever it points.
//
// Thread rule: as Reader. Limits: limits::dag_depth levels of folders, one open descriptor a level.
#pragma once

#include <filesystem>
#include <functional>

#include "shared/base/limits/content.h"
#include "shared/content/reader.h"

namespace cidbus {

// Told after every write; `total` is of the blocks as the root tells it, so slightly more than the content of
// a folder. A fault ends the export with it.
using ExportProgress = std::function<Status(ByteCount done, ByteCount total)>;

// BadUsage when the destination exists; NotFound when the folder it is to be in does not; TryAgain for a full
// disk.
Status export_path(Reader& reader, const Cid& cid, const std::filesystem::path& destination,
                   const ExportProgress& progress = {});

}  // namespace cidbus
