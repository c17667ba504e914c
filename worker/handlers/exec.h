// `exec.NAME`: a program of the worker's configuration, run in a sandbox.
//
// Inputs are put into /task/input/1, 2, ... or fed to its standard input; the result is what it wrote to
// standard output or to /task/output. Exit code 0 is done, 75 asks for another try, any other fails with the
// code and the end of standard error; so does death by a signal, which is named. What it said stays in the
// log of the attempt however it ends.
//
// Thread rule: handler.h. Limits: limits/programs.h, and those of the program.
#pragma once

#include <memory>

#include "worker/handlers/exec_config.h"
#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_exec(ExecProgram program);

}  // namespace cidbus
