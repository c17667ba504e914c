// Functions of Python's that the library calls from threads of its own.
//
// A reference to one is only counted with the GIL, wherever the std::function that holds it goes. An
// exception of a callback is printed like that of a thread and goes no further; that of a handler or a source
// is its fault.
//
// Thread rule: made with the GIL; called and destroyed on any thread. Limits: none.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <memory>

#include "cidbus/cluster/value.h"

namespace cidbus_python {

class Callback {
 public:
  // Of None: one that is empty. TypeError for what cannot be called.
  explicit Callback(const pybind11::object& function);
  explicit operator bool() const { return function_ != nullptr; }

  // Calls it with what `arguments` makes, with the GIL. What it gives is handed to `take`.
  using Arguments = std::function<pybind11::tuple()>;
  void call(const Arguments& arguments) const;
  cidbus::Result<cidbus::Dict> ask(const Arguments& arguments) const;  // a dict, or None for an empty one
  cidbus::Result<cidbus::List> ask_list() const;

 private:
  std::shared_ptr<pybind11::object> function_;  // shared by the copies of the std::function that holds it
};

}  // namespace cidbus_python
