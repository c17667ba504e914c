#include "shared/io/replace_file.h"

namespace cidbus {

Status replace_file(FileSystem& files, const std::string& folder, const std::string& name, ByteView content) {
  const std::string path = folder + "/" + name;
  const std::string fresh = path + ".new";
  auto file = files.create(fresh);
  if (!file) return tl::unexpected(file.error());
  if (Status written = (*file)->write(0, content); !written) return written;
  if (Status synced = (*file)->sync(); !synced) return synced;
  if (Status renamed = files.rename(fresh, path); !renamed) return renamed;
  return files.sync_directory(folder);
}

Result<std::optional<Bytes>> read_whole(FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file && file.error().kind == FaultKind::NotFound) return std::nullopt;
  if (!file) return tl::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return tl::unexpected(size.error());
  Bytes content(*size);
  const auto read = (*file)->read(0, content);
  if (!read) return tl::unexpected(read.error());
  content.resize(*read);
  return content;
}

}  // namespace cidbus
