# find_package(cidbus) gives cidbus::client (#include <cidbus/client.h>), cidbus::worker (#include <cidbus/worker.h>) and
# cidbus::cluster (#include <cidbus/cluster/coordinator.h> and its neighbours).
#
# The libraries are static; what they stand on is found here, from the same Debian packages that cidbus is built with.

enable_language(C)  # the package of Cap'n Proto tries a C program, and says that libatomic is missing when it cannot
include(CMakeFindDependencyMacro)
foreach(package Threads PkgConfig CapnProto spdlog tl-expected OpenSSL RocksDB CLI11)
  find_dependency(${package})
endforeach()
find_dependency(Boost COMPONENTS json url)
pkg_check_modules(zmq REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips-cpp)
pkg_check_modules(magic REQUIRED IMPORTED_TARGET libmagic)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)

include(${CMAKE_CURRENT_LIST_DIR}/cidbus-targets.cmake)
