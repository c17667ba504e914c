// The observer's command line: its flags, the options that they come to, and the role that they ask for.
//
// Thread rule: the main thread. Limits: limits/observer.h.
#pragma once

#include <memory>
#include <string>

#include "observer/observer.h"
#include "shared/io/node_options.h"

namespace cidbus {

inline constexpr const char* observer_program = "cidbus-observer";

struct ObserverFlags {
  NodeOptions node;
  ObserverOptions observer;  // what needs no check but CLI11's
  std::string rules;         // file
  std::string output = "table";
  bool plain = false;
  bool has_terminal = false;  // for itself: other roles in the process would write to it too
};

void add_observer_flags(CLI::App& app, ObserverFlags& flags);
// BadUsage names the flag and what it takes.
Result<ObserverOptions> observer_options(const ObserverFlags& flags);
// The observer, open, with all it stands on.
Result<std::unique_ptr<RunningRole>> open_observer(const ObserverFlags& flags);

}  // namespace cidbus
