// A new empty folder of a test's or a bench's own, gone with the object.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "shared/base/ensure.h"

namespace cidbus {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& below = std::filesystem::temp_directory_path())
      : path_((below / "cidbus-test-XXXXXX").string()) {
    ENSURE(::mkdtemp(path_.data()) != nullptr, path_, "errno", errno);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace cidbus
