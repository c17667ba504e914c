// Asks every broker of the group how it is, and writes it as JSON, for the commands that show it or act on
// it.
//
// Thread rule: the command's thread. Limits: limits::status_answer_time for those that do not answer.
#pragma once

#include "client/command/context.h"
#include "client/command/json_writer.h"
#include "shared/node/group_overview.h"

namespace cidbus {

// Empty when no broker answered for itself.
Result<GroupOverview> ask_group(Context& context);
void write_json(JsonWriter& json, const GroupOverview& group, const std::string& address);

}  // namespace cidbus
