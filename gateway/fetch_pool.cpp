#include "gateway/fetch_pool.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/io/clock.h"

namespace cidbus {

FetchPool::FetchPool(std::size_t threads, SourceFactory make_source) {
  ENSURE(threads >= 1);
  for (std::size_t count = 0; count < threads; ++count) {
    fetchers_.push_back(std::make_unique<Fetcher>());
    Fetcher& fetcher = *fetchers_.back();
    fetcher.thread = std::thread([this, &fetcher, make_source] { work(fetcher, make_source); });
  }
}

FetchPool::~FetchPool() { stop(); }

std::size_t FetchPool::least_busy() const {
  const auto least =
      std::min_element(fetchers_.begin(), fetchers_.end(),
                       [](const auto& left, const auto& right) { return left->waiting < right->waiting; });
  return static_cast<std::size_t>(least - fetchers_.begin());
}

void FetchPool::run(std::size_t thread, Monotonic begin_by, Job job) {
  Fetcher& fetcher = *fetchers_[thread];
  ++fetcher.waiting;
  fetcher.orders.push({std::move(job), begin_by});
}

void FetchPool::stop() {
  stopping_ = true;
  for (const auto& fetcher : fetchers_) fetcher->orders.push({});
  for (const auto& fetcher : fetchers_) {
    if (fetcher->thread.joinable()) fetcher->thread.join();
    fetcher->orders.take_all();
  }
}

void FetchPool::work(Fetcher& fetcher, const SourceFactory& make_source) {
  const std::unique_ptr<BlockSource> source = make_source();
  while (!stopping_) {
    fetcher.orders.wait();
    for (Order& order : fetcher.orders.take_all()) {
      if (order.job && !stopping_ && read_clock().monotonic < order.begin_by) order.job(*source);
      if (order.job) --fetcher.waiting;
      order.job = nullptr;  // what it holds goes now
    }
  }
}

}  // namespace cidbus
