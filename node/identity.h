// Who a node is, whatever role it is in: its name, kept in its data folder, which is its alone.
//
// Thread rule: values. Limits: a name of limits::name_length.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "shared/core/node.h"
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

// The role that it was told to be in, which it keeps over restarts until its command line says another one.
struct ToldRole {
  std::optional<Role> role;
  std::uint64_t proposal = 0;  // the newest vote on it that was dealt with
};
// `line`: what --role says. BadData when the file of it is none.
Result<ToldRole> read_told_role(FileSystem& files, const std::string& folder, const std::string& line);
Status keep_told_role(FileSystem& files, const std::string& folder, const std::string& line,
                      const ToldRole& told);

}  // namespace cidbus
