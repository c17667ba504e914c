// The yardstick's workers: any number of sessions on one thread, each a connection of its own, that decode
// each task and encode its answer.
//
// Thread rule: run() on one thread, stop() from any. Limits: the system's, on open files.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace cidbus::limit {

class Workers {
 public:
  // REQUIRES: `batch` as the broker has it.
  Workers(std::string address, std::size_t sessions, std::size_t batch);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void run();
  void stop() { stopped_ = true; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace cidbus::limit
