// Which role may say what to a broker (DESIGN section 10): an observer cannot submit, a leecher cannot
// complete.
//
// Thread rule: pure. Limits: none.
#pragma once

#include "shared/core/message.h"

namespace cidbus {

bool may_say(Role role, const Message& message);

}  // namespace cidbus
