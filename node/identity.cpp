#include "node/identity.h"

#include "shared/base/ids.h"
#include "shared/content/quote.h"
#include "shared/io/random.h"
#include "shared/io/replace_file.h"

namespace cidbus {
namespace {

constexpr const char* name_file = "name";

std::string new_name() { return "node-" + to_text(random_incarnation()).substr(0, 8); }

}  // namespace

Result<NodeFolder> open_node_folder(FileSystem& files, const std::string& folder, const std::string& given) {
  if (Status made = files.create_directory(folder); !made) return tl::unexpected(made.error());
  auto lock = files.lock(folder);
  if (!lock) return tl::unexpected(lock.error());
  const std::string path = folder + "/" + name_file;
  const auto kept = read_whole(files, path);
  if (!kept) return tl::unexpected(kept.error());
  if (*kept) {
    std::string name(as_text(**kept));
    while (name.ends_with('\n')) name.pop_back();
    if (!is_valid_name(name))
      return fault(FaultKind::BadData, path + ": " + in_quotes(name) +
                                           " is no name; remove the file, and the node gets "
                                           "the name that it is given");
    if (!given.empty() && given != name)
      return fault(FaultKind::BadUsage, "--name " + given + ": the folder " + folder + " is that of node '" +
                                            name +
                                            "'; give each node a --data of its own, or leave --name out");
    return NodeFolder{name, *std::move(lock)};
  }
  const std::string name = given.empty() ? new_name() : given;
  if (Status written = replace_file(files, folder, name_file, as_bytes(name + "\n")); !written)
    return tl::unexpected(written.error());
  return NodeFolder{name, *std::move(lock)};
}

}  // namespace cidbus
