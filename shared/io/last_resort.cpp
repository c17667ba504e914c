#include "shared/io/last_resort.h"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {

struct LastResort::Watch {
  std::mutex mutex;
  std::condition_variable changed;
  bool stood_down = false;
  std::thread thread;

  void wait(Duration patience, const std::string& program, const std::string& what, int code) {
    std::unique_lock lock(mutex);
    if (changed.wait_for(lock, patience, [this] { return stood_down; })) return;
    std::fprintf(stderr, "%s: %s did not stop; ended without it\n", escaped(program).c_str(),
                 escaped(what).c_str());
    std::_Exit(code);
  }
};

LastResort::LastResort(Duration patience) : patience_(patience) {}

LastResort::~LastResort() {
  if (watch_ == nullptr) return;
  {
    const std::lock_guard lock(watch_->mutex);
    watch_->stood_down = true;
  }
  watch_->changed.notify_all();
  watch_->thread.join();
}

void LastResort::arm(std::string program, std::string what, int code) {
  ENSURE(watch_ == nullptr, "program", program);
  watch_ = std::make_unique<Watch>();
  watch_->thread =
      std::thread([watch = watch_.get(), patience = patience_, program = std::move(program),
                   what = std::move(what), code] { watch->wait(patience, program, what, code); });
}

}  // namespace cidbus
