#include <CLI/CLI.hpp>
#include <memory>

#include "client/command/group_status.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/base/limits/links.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

struct Ended {
  HandoverOutcome outcome = HandoverOutcome::Done;
  std::string leader;
  Epoch epoch;
  std::string reason;
};

// Whoever leads answers: the one that leads now, why not, or the one that leads then.
Result<Ended> ask_for_handover(Context& context, const std::string& to, Epoch epoch) {
  const RequestId request = context.next_request();
  Ended ended;
  const Status asked = context.ask(HandoverRequest{request, to, epoch}, [&](const Message& message) {
    const auto* answer = std::get_if<HandoverAnswer>(&message);
    if (answer == nullptr || answer->request != request) return false;
    ended = {answer->outcome, std::string(answer->leader), answer->epoch, std::string(answer->reason)};
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return ended;
}

void print_leader(Output& output, const std::string& leader, Epoch epoch) {
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("leader").string(leader).name("epoch").number(epoch.value).close_object();
    output.line(json.text());
  } else if (output.format() == Format::Quiet) {
    output.line(printable(leader));
  } else {
    output.line(printable(leader) + " leads, epoch " + std::to_string(epoch.value));
  }
}

Result<int> handover(Context& context, const std::string& to) {
  const auto group = ask_group(context);
  if (!group) return tl::unexpected(group.error());
  if (group->empty())
    return fault(FaultKind::Unavailable, "no broker answers for itself; name the brokers with --brokers");
  const GroupOverview::Broker* const leader = group->leader();
  if (leader == nullptr) return fault(FaultKind::Unavailable, group->no_leader_text());
  const auto ended = ask_for_handover(context, to, leader->epoch);
  if (!ended) return tl::unexpected(ended.error());
  if (ended->outcome == HandoverOutcome::NoSuchBroker) return fault(FaultKind::BadUsage, ended->reason);
  const std::string leads_on = "; " + ended->leader + " leads, epoch " + std::to_string(ended->epoch.value);
  if (ended->outcome != HandoverOutcome::Done) return fault(FaultKind::TryAgain, ended->reason + leads_on);
  if (!to.empty() && ended->leader != to)
    return fault(FaultKind::TryAgain, to + " did not take the office" + leads_on);
  print_leader(context.output(), ended->leader, ended->epoch);
  return 0;
}

}  // namespace

void add_handover_command(CommandRegistry& registry, CLI::App& parent) {
  const auto to = std::make_shared<std::string>();
  CLI::App& leaf = registry.leaf(
      parent,
      {"handover",
       "Hand the leader's office to another broker, TO or the best one, and wait until it leads. Nothing is "
       "lost or started again. Without --no-preempt at the brokers, a broker of higher priority gets it back "
       "half a minute later",
       "  cidbus cluster handover\n  cidbus cluster handover b2 --output json\n"},
      [to](Context& context) { return handover(context, *to); });
  leaf.add_option("TO", *to, "Name of the broker that is to lead")->type_name("NAME");
}

}  // namespace cidbus
