#include "broker/journal/disk_thread.h"

#include <pthread.h>

#include <utility>

namespace cidbus {

DiskThread::DiskThread(DataDirectory directory)
    : executor_(std::move(directory)), thread_([this] { run(); }) {}

DiskThread::~DiskThread() { stop(); }

void DiskThread::submit(DiskCommand command) { commands_.push(std::move(command)); }

std::optional<DiskCompletion> DiskThread::poll() {
  if (taken_.empty())
    for (DiskCompletion& completion : completions_.take_all()) taken_.push_back(std::move(completion));
  if (taken_.empty()) return std::nullopt;
  DiskCompletion first = std::move(taken_.front());
  taken_.pop_front();
  return first;
}

void DiskThread::stop() {
  if (!thread_.joinable()) return;
  commands_.push(Stop{});
  thread_.join();
}

void DiskThread::run() {
  ::pthread_setname_np(::pthread_self(), "disk");
  std::vector<DiskCompletion> done;
  bool stopping = false;
  while (true) {
    for (Message& message : commands_.take_all()) {
      if (auto* command = std::get_if<DiskCommand>(&message)) {
        executor_.accept(std::move(*command));
      } else {
        stopping = true;
      }
    }
    if (executor_.has_work()) {
      executor_.step(done);
    } else if (stopping) {
      break;
    } else {
      commands_.wait();
    }
    for (DiskCompletion& completion : done) completions_.push(std::move(completion));
    done.clear();
  }
  if (Status status = executor_.close(); !status) completions_.push(DiskFailed{status.error()});
}

}  // namespace cidbus
