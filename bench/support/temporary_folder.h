// A folder of a bench's own, below CIDBUS_BENCH_DIR or the system's folder for such, gone with it.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "shared/base/ensure.h"

namespace cidbus {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    const char* const wanted = std::getenv("CIDBUS_BENCH_DIR");
    const std::filesystem::path below = wanted != nullptr ? wanted : std::filesystem::temp_directory_path();
    path_ = (below / "cidbus-bench-XXXXXX").string();
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
