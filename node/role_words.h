// The words of cidbus-node's command line that are not its own: flags of the roles it hosts, the same as
// their own programs take. Each role is given those it knows, so that one line fits every role the node may
// take.
//
// Thread rule: free functions; any thread. Limits: none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/core/node.h"
#include "shared/io/process.h"

namespace cidbus {

using Words = std::vector<std::string>;

// As "--flag" or "--flag=value" each. BadUsage for a flag that no role knows, and for a value that none would
// take.
Result<Words> check_role_words(const Words& rest);

// Those of `words`, as check_role_words() gives them, that the role's program takes. An address that several
// of the roles `hosted` in this process take is the first one's: master, gateway, worker, leecher, observer.
Words words_of_role(Role role, const Words& words, const std::vector<Role>& hosted);

// Opens the role as its own program would with these words, its variables and its table of the configuration
// file. REQUIRES: not Role::Client.
Result<std::unique_ptr<RunningRole>> open_role(Role role, const Words& words);

}  // namespace cidbus
