// Names of content, as the command gives and finds them.
//
// Thread rule: the command's thread. Limits: limits/names.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/command/context.h"
#include "shared/content/cid.h"

namespace cidbus {

struct GivenName {
  std::string name;  // empty for none
  std::vector<std::pair<std::string, std::string>> tags;
};

// What is wrong with a name that was given, for CLI::Option::check(); empty when nothing is.
std::string name_problem(const std::string& name);
// BadUsage for what cannot be a name or a tag (K=V).
Result<GivenName> parse_given_name(const std::string& name, const std::vector<std::string>& tags);
// Once it returns Ok the brokers have it, as durable as a task.
Status give_name(Context& context, const GivenName& given, const Cid& cid);

}  // namespace cidbus
