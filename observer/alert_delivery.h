// One try to deliver an alert.
//
// Thread rule: any thread, blocking; `stop` ends it within a moment. Limits: limits::alert_sink_time.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace cidbus {

// Runs the program with `text` on its standard input; Failed unless it ends with 0, TimedOut when it does not
// end and is killed with all that it started. REQUIRES: words is not empty; text fits a pipe (64 KiB).
Status deliver_to_program(const std::vector<std::string>& words, const std::string& text,
                          const std::atomic<bool>& stop);
// POSTs it as application/json; Failed unless the answer is 2xx.
Status deliver_to_web(const std::string& address, const std::string& text, const std::atomic<bool>& stop);

}  // namespace cidbus
