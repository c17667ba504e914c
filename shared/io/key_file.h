// A node's own pair of keys, and the two files that `cidbus keygen` makes of it:
//
//   NAME.key   the private key, for its owner's eyes only (mode 0600)
//   NAME.pub   the line for the allow-list: NAME ROLES KEY
//
// Invariants
//  1. A private key is in no message, and its memory is wiped when it is let go.
//  2. A private key's file is whole or not there, and nobody else could read it at any moment.
//
// Thread rule: values. Limits: limits::key_file_bytes.
#pragma once

#include <string>

#include "shared/base/result.h"
#include "shared/core/key_holder.h"

namespace cidbus {

// Both in Z85, 40 characters each.
struct KeyPair {
  std::string public_key;
  std::string private_key;

  KeyPair() = default;
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;
  KeyPair(KeyPair&& other) noexcept;
  KeyPair& operator=(KeyPair&& other) noexcept;
  ~KeyPair();
};

KeyPair make_key_pair();

// NotFound, NotAllowed when others may read the file, BadData when it holds no private key.
Result<KeyPair> read_private_key(const std::string& path);
// Failed when the file is there and `replace` is false.
Status write_private_key(const std::string& path, const KeyPair& pair, const std::string& name, bool replace);
// "NAME ROLES KEY"
std::string allow_line(const KeyHolder& holder);
Status write_public_key(const std::string& path, const KeyHolder& holder);

// A file of at most `limit` bytes, whole. NotAllowed when `others` have one of these rights to it.
Result<std::string> read_guarded_file(const std::string& path, std::size_t limit, unsigned others,
                                      const std::string& remedy);

}  // namespace cidbus
