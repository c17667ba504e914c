#include "shared/node/group_overview.h"

#include <algorithm>

#include "shared/base/limits/group.h"

namespace cidbus {

void GroupOverview::add(const BrokerStatus& status) {
  const bool other_group =
      !brokers_.empty() && std::none_of(status.brokers.begin(), status.brokers.end(), [&](const auto& peer) {
        return brokers_.contains(std::string(peer.name));
      });
  if (other_group) return;
  durability_ = status.durability;
  for (const BrokerPeer& peer : status.brokers) {
    Broker& known = brokers_[std::string(peer.name)];
    known.name = peer.name;
    known.address = peer.endpoint;
    known.priority = peer.priority;
    known.last_contact.milliseconds =
        std::max(known.last_contact.milliseconds, peer.last_contact.milliseconds);
    if (status.duty == Duty::Leader && status.epoch >= on_disk_epoch_) on_disk_[known.name] = peer.durable;
  }
  if (status.duty == Duty::Leader) on_disk_epoch_ = std::max(on_disk_epoch_, status.epoch);
  const auto itself = brokers_.find(std::string(status.name));
  if (itself == brokers_.end()) return;
  Broker& broker = itself->second;
  broker.duty = status.duty;
  broker.epoch = status.epoch;
  broker.last = status.last;
  broker.durable = status.durable;
  broker.commit = status.commit;
  broker.applied = status.applied;
  broker.config_version = status.config_version;
  broker.follows = status.leader;
  broker.trust = status.trust;
  broker.agreed = status.agreed;
}

void GroupOverview::add(const Snapshot& snapshot) {
  durability_ = snapshot.durability;
  for (const BrokerInfo& info : snapshot.brokers) {
    Broker& broker = brokers_[std::string(info.name)];
    broker.name = info.name;
    broker.address = info.endpoint;
    broker.duty = info.leader ? Duty::Leader : Duty::Standby;
    broker.epoch = info.epoch;
    broker.last = info.last;
    broker.durable = info.durable;
    broker.commit = info.commit;
    broker.applied = info.applied;
    on_disk_[broker.name] = info.durable;
  }
}

void GroupOverview::begin_round() {
  for (auto& [name, broker] : brokers_) {
    Broker silent;
    silent.name = name;
    silent.address = std::move(broker.address);
    silent.priority = broker.priority;
    silent.last_contact = broker.last_contact;
    broker = std::move(silent);
  }
  on_disk_.clear();
  on_disk_epoch_ = {};
}

bool GroupOverview::complete() const { return !empty() && reachable() == brokers_.size(); }

std::size_t GroupOverview::reachable() const {
  return static_cast<std::size_t>(std::count_if(
      brokers_.begin(), brokers_.end(), [](const auto& entry) { return entry.second.duty.has_value(); }));
}

const GroupOverview::Broker* GroupOverview::leader() const {
  const Broker* best = nullptr;
  for (const auto& [name, broker] : brokers_)
    if (broker.duty == Duty::Leader && (best == nullptr || broker.epoch > best->epoch)) best = &broker;
  return best;
}

std::vector<GroupOverview::Broker> GroupOverview::brokers(const std::string& address) const {
  const Broker* const leads = leader();
  LogIndex longest;
  for (const auto& [name, broker] : brokers_) longest = std::max(longest, broker.last);
  if (leads != nullptr) longest = leads->last;
  std::vector<Broker> all;
  for (const auto& [name, known] : brokers_) {
    Broker broker = known;
    if (broker.address.empty()) broker.address = address;
    const auto told = on_disk_.find(name);
    const bool by_leader = leads != nullptr && told != on_disk_.end();
    if (by_leader || broker.duty) {
      const LogIndex durable = by_leader ? told->second : broker.durable;
      broker.lag = longest.value - std::min(longest.value, durable.value);
    }
    all.push_back(std::move(broker));
  }
  return all;
}

std::string GroupOverview::quorum_text() const {
  return std::to_string(needed()) + " of " + std::to_string(brokers_.size()) + " brokers needed, " +
         std::to_string(reachable()) + " reachable";
}

std::string GroupOverview::no_leader_text() const {
  for (const auto& [name, broker] : brokers_)
    if (broker.duty == Duty::Standby && !broker.follows.empty())
      return broker.follows + " leads, says " + name + ", but it is not reachable from here";
  std::string silent;
  for (const auto& [name, broker] : brokers_)
    if (!broker.duty) silent += (silent.empty() ? "" : ", ") + name;
  const std::string what = "nobody is in office: " + quorum_text();
  if (reachable() >= needed()) return what + "; an election is under way, ask again";
  return what + "; start one of " + silent + ", or mend the network to it";
}

std::string_view state_of(const GroupOverview::Broker& broker) {
  return broker.duty ? to_text(*broker.duty) : "unreachable";
}

std::string state_text(const GroupOverview::Broker& broker) {
  std::string text(state_of(broker));
  if (broker.duty && broker.trust != StateTrust::Good)
    text += ", state " + std::string(to_text(broker.trust));
  return text;
}

}  // namespace cidbus
