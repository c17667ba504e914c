// A small file that changes as a whole: written beside the one that is there, synced, then put in its place.
//
// Whatever happens on the way, the file is the old one or the new one, never a part; what was left beside it
// is written over the next time.
//
// Thread rule: one thread a file. Limits: the caller's.
#pragma once

#include <optional>
#include <string>

#include "shared/io/file_system.h"

namespace cidbus {

// Durable on return. The folder is there. After a fault the file may be either of the two.
Status replace_file(FileSystem& files, const std::string& folder, const std::string& name, ByteView content);
// All of it; nothing when there is no such file.
Result<std::optional<Bytes>> read_whole(FileSystem& files, const std::string& path);

}  // namespace cidbus
