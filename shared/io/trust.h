// Whom a node's sockets believe: those who hold a key of the allow-list, or, without keys, whoever is on this
// machine.
//
// Invariant: beyond loopback nothing is bound and nothing is connected to without keys, unless `insecure`
// says so in so many words.
//
// Thread rule: a value, given to a SocketContext. Limits: none.
#pragma once

#include <memory>
#include <optional>

#include "shared/base/result.h"
#include "shared/io/keyring.h"
#include "shared/io/log.h"

namespace cidbus {

struct Trust {
  std::shared_ptr<Keyring> keys;  // null: none are in use. Shared with the thread that reads the list again
  bool insecure = false;
  std::optional<Fault> fault;  // why the keys asked for cannot be used: nothing is bound or connected to
  Log* log = nullptr;          // null: nobody is told who was refused; outlives the SocketContext
};

// "127.0.0.1:9096", "localhost:9096" and "[::1]:9096" are of this machine alone.
bool is_loopback(std::string_view address);
// NotAllowed, with what to do, when there are no keys and the address is beyond loopback. `verb` is "listen
// on" or "connect to".
Status may_use(const Trust& trust, std::string_view verb, const std::string& address);

}  // namespace cidbus
