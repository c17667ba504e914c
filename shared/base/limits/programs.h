// Programs of users and their sandbox: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t programs = 256;                        // of one worker
inline constexpr std::size_t program_arguments = 1024;              // of one command, inputs included
inline constexpr std::size_t program_argument_bytes = 128 << 10;    // Linux's own bound on one argument
inline constexpr std::uint64_t program_memory_most = 1ULL << 40;    // that can be asked for
inline constexpr std::uint64_t program_memory_least = 16ULL << 20;  // a shell alone takes some
inline constexpr std::uint32_t program_processes_most = 4096;
inline constexpr std::uint64_t sandbox_side_space = 64ULL << 20;  // in /tmp, and in /dev/shm
inline constexpr unsigned sandbox_open_files = 1024;              // of each process in it
inline constexpr auto sandbox_start_time =
    20s;  // until the program may begin; longer on a machine in trouble
inline constexpr auto sandbox_watch_period = 20ms;   // its memory is looked at so often
inline constexpr auto sandbox_end_time = 10s;        // until all its processes are gone once they were killed
inline constexpr std::size_t log_tail_bytes = 4000;  // kept of the end of stdout, and of stderr

}  // namespace cidbus::limits
