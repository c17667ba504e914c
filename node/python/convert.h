// Between cidbus::Value and what Python has: None, bool, int, float, str, list, dict.
//
// A tuple becomes a list. What has no place there (bytes, an int beyond 64 bits, a dict whose names are no
// texts, what nests more than 32 deep) is a TypeError or a ValueError that names it.
//
// Thread rule: with the GIL. Limits: as above.
#pragma once

#include <pybind11/pybind11.h>

#include "cidbus/cluster/value.h"

namespace cidbus_python {

cidbus::Value to_value(pybind11::handle object);
cidbus::Dict to_dict(pybind11::handle object);
pybind11::object to_python(const cidbus::Value& value);

// A fault as an exception: BadUsage and BadData a ValueError, NotFound a LookupError, Unavailable a
// ConnectionError, NotAllowed a PermissionError, TimedOut a TimeoutError, others a RuntimeError.
[[noreturn]] void raise(const cidbus::Fault& fault);

template <typename T>
T unwrap(cidbus::Result<T> result) {
  if (!result) raise(result.error());
  return *std::move(result);
}
void unwrap(const cidbus::Status& status);

}  // namespace cidbus_python
