// Who a node is, whatever role it is in: its name, kept in its data folder, which is its alone.
//
// Thread rule: values. Limits: a name of limits::name_length.
#pragma once

#include <memory>
#include <string>

#include "shared/io/posix_file_system.h"

namespace cidbus {

struct NodeFolder {
  std::string name;
  std::unique_ptr<DirectoryLock> lock;
};

// Makes the folder and its name where they are not there. `given` is the name that was asked for, or empty.
// BadUsage when the folder is another node's, BadData when its name is none, TryAgain when another process
// has it.
Result<NodeFolder> open_node_folder(FileSystem& files, const std::string& folder, const std::string& given);

}  // namespace cidbus
