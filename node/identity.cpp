#include "node/identity.h"

#include <sstream>

#include "shared/base/ids.h"
#include "shared/content/quote.h"
#include "shared/io/random.h"
#include "shared/io/replace_file.h"

namespace cidbus {
namespace {

constexpr const char* name_file = "name";
constexpr const char* role_file = "role";
constexpr const char* no_role = "-";

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

// "gateway 3 auto": the role told, or -; the newest vote dealt with; what --role said then.
Result<ToldRole> read_told_role(FileSystem& files, const std::string& folder, const std::string& line) {
  const std::string path = folder + "/" + role_file;
  const auto kept = read_whole(files, path);
  if (!kept) return tl::unexpected(kept.error());
  if (!*kept) return ToldRole{};
  std::istringstream words{std::string(as_text(**kept))};
  std::string role;
  std::string line_then;
  ToldRole told;
  words >> role >> told.proposal >> line_then;
  told.role = parse_role(role);
  if (!words || told.role == Role::Client || (!told.role && role != no_role))
    return fault(FaultKind::BadData,
                 path + " does not say which role it was told; remove it, and --role says it");
  if (line_then != line) told.role.reset();
  return told;
}

Status keep_told_role(FileSystem& files, const std::string& folder, const std::string& line,
                      const ToldRole& told) {
  const std::string role = told.role ? std::string(to_text(*told.role)) : no_role;
  return replace_file(files, folder, role_file,
                      as_bytes(role + " " + std::to_string(told.proposal) + " " + line + "\n"));
}

}  // namespace cidbus
