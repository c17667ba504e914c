// What every main.cpp does around its role: hold the standard descriptors, take signals as events, and turn a
// fault into one line and an exit code.
//
// The first SIGTERM, SIGINT or SIGHUP asks the role to end in order, a second SIGTERM or SIGINT ends it at
// once. Signals are blocked in every thread and read through a descriptor, so no code of ours ever runs in a
// signal handler. SIGUSR1 makes the log say one level more, SIGUSR2 one less: that works also for a node that
// hears nobody, which is when it is wanted.
//
// Thread rule: the main thread, before any other exists. Limits: none.
#pragma once

#include <signal.h>

#include <string_view>

#include "shared/base/result.h"

namespace cidbus {

// A role as a process sees it. Roles are libraries: no signal handlers, no exit inside.
class RunningRole {
 public:
  virtual ~RunningRole() = default;
  // Readable once the role has ended by itself or as asked.
  [[nodiscard]] virtual int ended_descriptor() const = 0;
  virtual void ask_to_stop() = 0;  // in order: drain, hand over, say goodbye
  virtual void stop_now() = 0;
  // Its log says so many levels more, or less.
  virtual void change_log_level(int /*steps_louder*/) {}
  // Waits for the end; what it ended with.
  virtual Status wait() = 0;
};

// Standard input, output and error that the caller has closed are taken, so that no socket and no file of
// data gets their numbers, and with it what is printed. Reading and writing them fails. REQUIRES: called
// before anything is opened.
void hold_standard_descriptors();
// Those that ask a process to end. SIGHUP, a closed terminal, is one unless the caller had it ignored (nohup)
// or the program handles it itself.
sigset_t stop_signals();
// REQUIRES: called before any thread is started.
void block_stop_signals();
// Runs until the role ends; the process's exit code: 0 after an orderly stop, 128 + signal after a second
// signal.
int run_until_signalled(std::string_view program, RunningRole& role);
// All of it on standard output, or why not: TryAgain for a full disk. That nobody reads it any more has no
// line.
Status print_answer(std::string_view text);
// "program: what: why; what to do" on stderr; the exit code.
int report_fault(std::string_view program, const Fault& fault);

}  // namespace cidbus
