// The key under which brokers index a block: the front of its digest.
//
// Version and codec of a CID are left out, so all forms of one block have one key, as in the stores.
//
// Thread rule: functions of their arguments. Limits: a digest shorter than 16 bytes is filled up with zeros;
// only identity CIDs have such, and those are never stored or asked for.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "shared/content/cid.h"
#include "shared/core/node.h"

namespace cidbus {

// REQUIRES: not null
inline BlockKey block_key(const Multihash& multihash) {
  BlockKey key;
  const ByteView digest = multihash.digest();
  std::copy_n(digest.begin(), std::min(digest.size(), key.bytes.size()), key.bytes.begin());
  return key;
}
inline BlockKey block_key(const Cid& cid) { return block_key(cid.multihash()); }

}  // namespace cidbus
