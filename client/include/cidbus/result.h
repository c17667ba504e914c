// Result<T>: what a function gives, or what went wrong, named by what the caller can do about it.
//
// The library throws nothing and lets no exception of its own libraries through. Every function that can fail
// gives one of these; it is to be looked at (the compiler warns).
//
//   const auto task = client.task(id);
//   if (!task) return report(task.error().message);
//   print(task->state);
//
// value(), * and -> of a result without a value end the program with the fault on stderr: a bug, never an
// exception.
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "cidbus/namespace.h"

namespace cidbus::v1 {

enum class FaultKind {
  Failed,       // the work itself failed; doing it again gives the same
  BadUsage,     // the caller asked for something that makes no sense
  BadData,      // what was read is not what it claims to be
  NotFound,     // nobody has it
  Unavailable,  // no broker reachable
  TryAgain,     // out of room for now: retry later
  NotAllowed,   // refused by rights, or by another cluster
  TimedOut,     // the time given ran out
};

struct [[nodiscard]] Fault {
  FaultKind kind = FaultKind::Failed;
  std::string message;  // one line for a person: what, why, what to do
};

[[noreturn]] inline void end_without_value(const Fault& fault) {
  std::fprintf(stderr, "cidbus: the value of a result was taken, and there is none: %s\n",
               fault.message.c_str());
  std::abort();
}

// REQUIRES: of value(), * and ->: has_value(); of error(): not.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns the one or the other.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Fault fault) : state_(std::in_place_index<1>, std::move(fault)) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    if (!has_value()) end_without_value(*std::get_if<1>(&state_));
    return *std::get_if<0>(&state_);
  }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  T value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Fault& error() const {
    if (has_value())
      end_without_value({FaultKind::BadUsage, "the error of a result was taken, and it has a value"});
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Fault> state_;
};

// Done, or what went wrong.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Fault fault) : fault_(std::move(fault)) {}

  [[nodiscard]] bool has_value() const { return !fault_; }
  explicit operator bool() const { return has_value(); }
  void value() const {
    if (fault_) end_without_value(*fault_);
  }
  [[nodiscard]] const Fault& error() const {
    if (!fault_) end_without_value({FaultKind::BadUsage, "the error of a result was taken, and it has none"});
    return *fault_;
  }

 private:
  std::optional<Fault> fault_;
};

using Status = Result<void>;

}  // namespace cidbus::v1
