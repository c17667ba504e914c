// Where the names of the public headers live: cidbus::v1, which a program sees as cidbus.
//
// The version is part of every symbol, so that a program compiled against one major version of the headers
// cannot be linked with another by mistake. Within cidbus's own sources the names are not let into cidbus:
// there, Result and Client have other meanings in the rooms below.
#pragma once

namespace cidbus::v1 {}

#ifndef CIDBUS_LIBRARY_SOURCE
namespace cidbus {
using namespace v1;
}
#endif
