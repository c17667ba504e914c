#include "client/command/group_status.h"

namespace cidbus {

Result<GroupOverview> ask_group(Context& context) {
  GroupOverview group;
  const Status asked = context.ask_brokers([&](const BrokerStatus& status) {
    group.add(status);
    return group.complete();
  });
  if (!asked) return tl::unexpected(asked.error());
  return group;
}

namespace {

void number_if(JsonWriter& json, std::string_view name, bool known, std::uint64_t number) {
  json.name(name);
  known ? json.number(number) : json.null();
}

}  // namespace

void write_json(JsonWriter& json, const GroupOverview& group, const std::string& address) {
  const auto brokers = group.brokers(address);
  json.name("quorum").open_object().name("held").boolean(group.leader() != nullptr);
  json.name("brokers").number(brokers.size()).name("needed").number(group.needed());
  json.name("reachable").number(group.reachable());
  json.name("tolerates").number(brokers.size() - group.needed()).close_object();
  json.name("brokers").open_array();
  for (const GroupOverview::Broker& broker : brokers) {
    const bool answered = broker.duty.has_value();
    json.open_object().name("name").string(broker.name).name("address").string(broker.address);
    json.name("leader").boolean(broker.duty == Duty::Leader);
    json.name("state").string(state_of(broker));
    number_if(json, "priority", broker.priority.has_value(),
              static_cast<std::uint64_t>(broker.priority.value_or(0)));
    number_if(json, "epoch", answered, broker.epoch.value);
    number_if(json, "last", answered, broker.last.value);
    number_if(json, "durable", answered, broker.durable.value);
    number_if(json, "commit", answered, broker.commit.value);
    number_if(json, "applied", answered, broker.applied.value);
    number_if(json, "config_version", answered, broker.config_version);
    json.name("trust").string_or_null(answered ? to_text(broker.trust) : "");
    number_if(json, "agreed", answered, broker.agreed.value);
    number_if(json, "lag", broker.lag.has_value(), broker.lag.value_or(0));
    const bool heard = broker.last_contact.milliseconds != 0;
    json.name("last_contact").string_or_null(heard ? to_rfc3339(broker.last_contact) : "");
    json.close_object();
  }
  json.close_array();
}

}  // namespace cidbus
