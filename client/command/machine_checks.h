// What `cidbus doctor` looks at on this machine: files, memory, clock, disk, programs, ports.
//
// Thread rule: functions that read the system; nothing is changed but a file of the disk's check, which is
// removed. Limits: none.
#pragma once

#include <string>
#include <vector>

namespace cidbus {

struct Finding {
  enum class State { Ok, Warning, Bad };
  std::string check;
  State state = State::Ok;
  std::string found;
  std::string advice;  // what to do; empty when Ok
  int code = 1;        // of the command, when Bad
};

Finding check_open_files();
Finding check_memory();
Finding check_clock();
// Room, and how long a written page takes to be on the disk. `folder` need not be there, its parent must.
Finding check_disk(const std::string& folder);
// A program that some roles need.
Finding check_program(const std::string& name, const std::string& why, const std::string& package);
// Who listens on a port of this machine, or that nobody does; never bad.
Finding check_port(unsigned port, const std::string& use);

}  // namespace cidbus
