// The real disk behind file_system.h, by the calls of POSIX and Linux.
//
// Thread rule: stateless; any thread. Limits: those of the file system.
#pragma once

#include "shared/io/file_system.h"
#include "shared/metrics/instruments.h"

namespace cidbus {

class PosixFileSystem final : public FileSystem {
 public:
  // `sync_time`: how long each sync of a file takes; it outlives the files.
  explicit PosixFileSystem(Histogram* sync_time = nullptr) : sync_time_(sync_time) {}
  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Status create_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override;

 private:
  Histogram* sync_time_;
};

}  // namespace cidbus
