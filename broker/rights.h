// Which role may say what to a broker, and which key may speak in which role (DESIGN section 10): an observer
// cannot submit, a leecher cannot complete.
//
// Thread rule: pure. Limits: none.
#pragma once

#include <string>

#include "shared/core/key_holder.h"
#include "shared/core/message.h"

namespace cidbus {

bool may_say(Role role, const Message& message);

// Why a key does not let its holder speak under this name and in this role, for a person; empty when it does.
// `holder` is null where no keys are in use.
std::string key_refusal(const KeyHolder* holder, std::string_view sender, Role role);

}  // namespace cidbus
