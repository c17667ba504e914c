// Things that one thread uses at a time, lent to many: connections that cost a round trip to make.
//
// Invariants: 1. What is lent belongs to its borrower alone until the loan ends. 2. At most `idle_most` are
// kept; a borrower who finds none gets a new one.
//
// Thread rule: any thread; a loan is one thread's. REQUIRES: the pool outlives its loans. Limits: as many as
// are borrowed at once, and idle_most.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace cidbus {

template <typename Thing>
class Pool {
 public:
  class Loan {
   public:
    Loan(Pool& pool, std::unique_ptr<Thing> thing) : pool_(pool), thing_(std::move(thing)) {}
    ~Loan() { pool_.take_back(std::move(thing_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Thing& operator*() const { return *thing_; }
    Thing* operator->() const { return thing_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Thing> thing_;
  };

  Pool(std::size_t idle_most, std::function<std::unique_ptr<Thing>()> make)
      : idle_most_(idle_most), make_(std::move(make)) {}

  [[nodiscard]] Loan borrow() {
    std::unique_ptr<Thing> thing;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        thing = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (thing == nullptr) thing = make_();
    return Loan(*this, std::move(thing));
  }

 private:
  void take_back(std::unique_ptr<Thing> thing) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < idle_most_) idle_.push_back(std::move(thing));
  }

  const std::size_t idle_most_;
  const std::function<std::unique_ptr<Thing>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Thing>> idle_;
};

}  // namespace cidbus
