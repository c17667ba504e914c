// Where benches put what they write: CIDBUS_BENCH_DIR, or the system's folder for such.
//
// Thread rule: a function of the environment. Limits: none.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace cidbus {

inline std::filesystem::path bench_folder() {
  const char* const wanted = std::getenv("CIDBUS_BENCH_DIR");
  return wanted != nullptr ? std::filesystem::path(wanted) : std::filesystem::temp_directory_path();
}

}  // namespace cidbus
