// The cluster's content, as the command adds and reads it; connected when first used.
//
// Thread rule: the command's thread. Limits: client_cache_bytes of blocks kept, and NetworkBlocks'.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "client/command/context.h"
#include "shared/content/filesystem_import.h"
#include "shared/content/reader.h"

namespace cidbus {

struct AddOptions {
  ImportProfile profile = default_profile;
  bool recursive = false;
  bool hidden = false;
  std::uint32_t copies = 2;
};

struct Added {
  Cid cid;
  ByteCount bytes = 0;       // of the files' content
  std::uint64_t blocks = 0;  // written, each as often as it occurred
};

class ContentAccess {
 public:
  explicit ContentAccess(Context& context);
  ~ContentAccess();
  ContentAccess(const ContentAccess&) = delete;
  ContentAccess& operator=(const ContentAccess&) = delete;

  // Returns when enough nodes have synced every block. BadData for a path that is not there.
  Result<Added> add(const std::filesystem::path& path, const AddOptions& options,
                    const ImportProgress& progress = {});
  // An input of a task: a file, or a folder with all that is not hidden below it.
  Result<Cid> add_input(const std::string& path);
  Reader& reader();

 private:
  struct State;
  BlockAccess& blocks(std::uint32_t copies);

  Context& context_;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
