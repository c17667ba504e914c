// `hash`: the digest of a file's bytes, read as a stream, so a file of any size takes the same memory.
//
// It is the digest that sha256sum, sha512sum and b2sum -l 256 print for the file, not a CID: a CID names the
// root of the tree of blocks that a file is stored as.
//
// Values: algorithm, digest (lower-case hexadecimal), size (bytes).
//
// Thread rule: handler.h. Limits: none of its own.
#pragma once

#include <memory>

#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_hash();

}  // namespace cidbus
