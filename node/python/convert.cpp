#include "node/python/convert.h"

#include <string>

namespace cidbus_python {
namespace {

namespace py = pybind11;
using cidbus::Value;

constexpr int deepest = 32;

std::string type_name(py::handle object) { return py::str(py::type::handle_of(object).attr("__name__")); }

std::string text_of(py::handle text) {
  Py_ssize_t size = 0;
  const char* const bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr)
    throw py::error_already_set();  // a surrogate by itself: UnicodeEncodeError, a ValueError
  return {bytes, static_cast<std::size_t>(size)};
}

// What others say need be no UTF-8.
py::str to_str(const std::string& text) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

Value convert(py::handle object, int depth);

Value convert_dict(py::handle object, int depth) {
  cidbus::Dict dict;
  for (const auto& [name, item] : py::reinterpret_borrow<py::dict>(object)) {
    if (!py::isinstance<py::str>(name))
      throw py::type_error("a name in a dict is a str, not " + type_name(name));
    dict.emplace(text_of(name), convert(item, depth + 1));
  }
  return dict;
}

Value convert(py::handle object, int depth) {
  if (depth > deepest) throw py::value_error("this nests more than 32 deep");
  if (object.is_none()) return {};
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  if (py::isinstance<py::str>(object)) return text_of(object);
  if (py::isinstance<py::dict>(object)) return convert_dict(object, depth);
  if (py::isinstance<py::int_>(object)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
    if (overflow != 0) throw py::value_error("an int beyond 64 bits; give it as a str");
    return number;
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    cidbus::List list;
    for (const py::handle item : object) list.push_back(convert(item, depth + 1));
    return list;
  }
  throw py::type_error("None, bool, int, float, str, list and dict can travel, and " + type_name(object) +
                       " cannot");
}

PyObject* exception_of(cidbus::FaultKind kind) {
  switch (kind) {
    case cidbus::FaultKind::BadUsage:
    case cidbus::FaultKind::BadData:
      return PyExc_ValueError;
    case cidbus::FaultKind::NotFound:
      return PyExc_LookupError;
    case cidbus::FaultKind::Unavailable:
      return PyExc_ConnectionError;
    case cidbus::FaultKind::NotAllowed:
      return PyExc_PermissionError;
    case cidbus::FaultKind::TimedOut:
      return PyExc_TimeoutError;
    case cidbus::FaultKind::Failed:
    case cidbus::FaultKind::TryAgain:
      break;
  }
  return PyExc_RuntimeError;
}

}  // namespace

Value to_value(py::handle object) { return convert(object, 0); }

cidbus::Dict to_dict(py::handle object) {
  if (!py::isinstance<py::dict>(object)) throw py::type_error("a dict is wanted, not " + type_name(object));
  const Value value = convert_dict(object, 0);
  return *value.dict();
}

py::object to_python(const Value& value) {
  if (const auto* boolean = value.boolean()) return py::bool_(*boolean);
  if (const auto* whole = value.whole()) return py::int_(*whole);
  if (const auto* decimal = value.decimal()) return py::float_(*decimal);
  if (const auto* text = value.text()) return to_str(*text);
  if (const auto* list = value.list()) {
    py::list items;
    for (const Value& item : *list) items.append(to_python(item));
    return items;
  }
  if (const auto* dict = value.dict()) {
    py::dict items;
    for (const auto& [name, item] : *dict) items[to_str(name)] = to_python(item);
    return items;
  }
  return py::none();
}

void raise(const cidbus::Fault& fault) {
  const py::gil_scoped_acquire gil;
  PyErr_SetString(exception_of(fault.kind), fault.message.c_str());
  throw py::error_already_set();
}

void unwrap(const cidbus::Status& status) {
  if (!status) raise(status.error());
}

}  // namespace cidbus_python
