// What a node prints once it serves, when it was started by a person: where it is reached, and how another
// machine joins it.
//
// Thread rule: a pure function. Limits: none.
#pragma once

#include <string>
#include <vector>

#include "node/role_words.h"

namespace cidbus {

struct Greeting {
  std::vector<Role> roles;
  Words words;  // what its roles were told
  std::string cluster;
  bool insecure = false;
};
// Lines with their ends.
[[nodiscard]] std::string greeting_text(const Greeting& greeting);

}  // namespace cidbus
