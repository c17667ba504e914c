#include "worker/handlers/handler.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/ids.h"
#include "shared/content/quote.h"
#include "worker/handlers/analyze.h"
#include "worker/handlers/echo.h"
#include "worker/handlers/hash.h"
#include "worker/handlers/pin.h"
#include "worker/handlers/process_content.h"
#include "worker/handlers/retrieve.h"

namespace cidbus {

std::string describe(const Handler& handler) {
  std::string text(handler.type());
  text += ": " + std::string(handler.summary()) + "\n";
  std::size_t widest = 0;
  for (const auto& parameter : handler.help()) widest = std::max(widest, parameter.name.size());
  for (const auto& parameter : handler.help()) {
    text += "  " + std::string(parameter.name) + std::string(widest - parameter.name.size() + 2, ' ');
    text += std::string(parameter.meaning) + " (" + std::string(parameter.default_value) + ")\n";
  }
  return text;
}

tl::unexpected<Fault> cancelled_fault(std::string_view type) {
  return fault(FaultKind::TryAgain, std::string(type) + ": stopped before it was done");
}

Result<Cid> only_input(std::string_view type, const HandlerInput& input) {
  if (input.inputs.size() == 1) return input.inputs.front();
  return fault(FaultKind::BadUsage, std::string(type) + " takes exactly one input, not " +
                                        std::to_string(input.inputs.size()) + "; submit one task a file");
}

Status HandlerRegistry::add(std::unique_ptr<Handler> handler) {
  const std::string_view type = handler->type();
  if (!is_valid_name(type)) {
    return fault(FaultKind::BadUsage,
                 in_quotes(type) + " cannot name a task type; use 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  const auto place = std::lower_bound(
      handlers_.begin(), handlers_.end(), type,
      [](const auto& existing, std::string_view wanted) { return existing->type() < wanted; });
  if (place != handlers_.end() && (*place)->type() == type) {
    return fault(FaultKind::BadUsage,
                 "task type " + in_quotes(type) + " already has a handler; give one of them another name");
  }
  handlers_.insert(place, std::move(handler));
  return {};
}

Status HandlerRegistry::replace(std::unique_ptr<Handler> handler) {
  std::erase_if(handlers_, [&](const auto& existing) { return existing->type() == handler->type(); });
  return add(std::move(handler));
}

Result<const Handler*> HandlerRegistry::find(std::string_view type) const {
  for (const auto& handler : handlers_) {
    if (handler->type() == type) return handler.get();
  }
  std::string known;
  for (const auto& handler : handlers_) known += (known.empty() ? "" : ", ") + std::string(handler->type());
  return fault(FaultKind::BadUsage, "unknown task type " + in_quotes(type) + "; this worker runs " + known);
}

std::vector<std::string_view> HandlerRegistry::types() const {
  std::vector<std::string_view> types;
  for (const auto& handler : handlers_) types.push_back(handler->type());
  return types;
}

std::vector<std::string_view> HandlerRegistry::strict_types() const {
  std::vector<std::string_view> types;
  for (const auto& handler : handlers_) {
    if (handler->strict()) types.push_back(handler->type());
  }
  return types;
}

HandlerRegistry built_in_handlers() {
  HandlerRegistry registry;
  for (auto* make :
       {make_process_content, make_hash, make_echo, make_analyze, make_retrieve, make_pin, make_unpin}) {
    const Status added = registry.add(make());
    ENSURE(added.has_value(), "handler", added.error().message);
  }
  return registry;
}

}  // namespace cidbus
