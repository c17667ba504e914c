// Where the names of the public headers live: cidbus::v1, which a program sees as cidbus.
//
// The version is part of every symbol, so that a program compiled against one major version of the headers
// cannot be linked with another by mistake. Within cidbus's own sources the namespace is not inline: there,
// names such as Result and Client have other meanings in the rooms below.
#pragma once

#ifndef CIDBUS_LIBRARY_SOURCE
namespace cidbus {
inline namespace v1 {}
}  // namespace cidbus
#endif
