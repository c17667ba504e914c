#include "node/python/callbacks.h"

#include <cstdio>
#include <string>

#include "node/python/convert.h"

namespace cidbus_python {
namespace {

namespace py = pybind11;

// Of an exception: "ValueError: no such colour".
cidbus::Fault fault_of(py::error_already_set& error) {
  const std::string type = py::str(error.type().attr("__name__"));
  const std::string text = py::str(error.value());
  return {cidbus::FaultKind::Failed, text.empty() ? type : type + ": " + text};
}

// What `use` gives; what it throws is told as a fault. With the GIL.
template <typename T, typename Use>
cidbus::Result<T> guarded(const Use& use) {
  try {
    return use();
  } catch (py::error_already_set& error) {
    return fault_of(error);
  } catch (const std::exception& error) {
    return cidbus::Fault{cidbus::FaultKind::Failed, error.what()};
  }
}

}  // namespace

Callback::Callback(const py::object& function) {
  if (function.is_none()) return;
  if (PyCallable_Check(function.ptr()) == 0) throw py::type_error("a function is wanted, or None");
  function_ = std::shared_ptr<py::object>(new py::object(function), [](py::object* held) {
    if (Py_IsInitialized() == 0) return;  // its memory is gone already
    const py::gil_scoped_acquire gil;
    delete held;
  });
}

void Callback::call(const Arguments& arguments) const {
  const py::gil_scoped_acquire gil;
  try {
    (*function_)(*arguments());
  } catch (py::error_already_set& error) {
    error.restore();
    PyErr_WriteUnraisable(function_->ptr());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    PyErr_WriteUnraisable(function_->ptr());
  }
}

cidbus::Result<cidbus::Dict> Callback::ask(const Arguments& arguments) const {
  const py::gil_scoped_acquire gil;
  return guarded<cidbus::Dict>([&]() -> cidbus::Result<cidbus::Dict> {
    const py::object given = (*function_)(*arguments());
    if (given.is_none()) return cidbus::Dict{};
    return to_dict(given);
  });
}

cidbus::Result<cidbus::List> Callback::ask_list() const {
  const py::gil_scoped_acquire gil;
  return guarded<cidbus::List>([&]() -> cidbus::Result<cidbus::List> {
    const cidbus::Value given = to_value((*function_)());
    return given.list() == nullptr ? cidbus::List{} : *given.list();
  });
}

}  // namespace cidbus_python
