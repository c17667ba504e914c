#include "shared/base/limits/group.h"
#include "shared/base/limits/words.h"
#include "shared/wire/values.h"

namespace cidbus::wire {

void put(schema::BrokerStatus::Builder out, const BrokerStatus& status) {
  out.setRequest(status.request.value);
  out.setName(text_of(status.name));
  out.setDuty(static_cast<schema::Duty>(status.duty));
  out.setLeader(text_of(status.leader));
  out.setEpoch(status.epoch.value);
  out.setLast(status.last.value);
  out.setDurable(status.durable.value);
  out.setCommit(status.commit.value);
  out.setApplied(status.applied.value);
  out.setDurability(static_cast<schema::Durability>(status.durability));
  out.setConfigVersion(status.config_version);
  out.setTrust(static_cast<schema::StateTrust>(status.trust));
  out.setAgreed(status.agreed.value);
  auto brokers = out.initBrokers(static_cast<unsigned>(status.brokers.size()));
  for (unsigned place = 0; place < brokers.size(); ++place) {
    const BrokerPeer& peer = status.brokers[place];
    auto to = brokers[place];
    to.setName(text_of(peer.name));
    to.setEndpoint(text_of(peer.endpoint));
    to.setPriority(peer.priority);
    to.setDurable(peer.durable.value);
    to.setLastContact(peer.last_contact.milliseconds);
  }
}

BrokerStatus get(schema::BrokerStatus::Reader in, Checks& checks) {
  BrokerStatus status;
  status.request = {in.getRequest()};
  status.name = checks.name(in.getName(), "a broker that is not a name");
  status.duty = checks.pick(in.getDuty(), Duty::Leader, "an unknown duty");
  status.leader = checks.name(in.getLeader(), "a leader that is not a name");
  status.epoch = {in.getEpoch()};
  status.last = {in.getLast()};
  status.durable = {in.getDurable()};
  status.commit = {in.getCommit()};
  status.applied = {in.getApplied()};
  status.durability = checks.pick(in.getDurability(), Durability::Quorum, "an unknown durability");
  status.config_version = in.getConfigVersion();
  status.trust = checks.pick(in.getTrust(), StateTrust::Differs, "an unknown trust");
  status.agreed = {in.getAgreed()};
  const auto brokers = in.getBrokers();
  status.brokers.resize(checks.count(brokers, "more brokers than a group has", limits::brokers));
  for (unsigned place = 0; place < status.brokers.size(); ++place) {
    const auto from = brokers[place];
    status.brokers[place] = {checks.name(from.getName(), "a broker that is not a name"),
                             checks.endpoint(from.getEndpoint()), from.getPriority(),
                             LogIndex{from.getDurable()}, WallTime{from.getLastContact()}};
  }
  return status;
}

void put(schema::HandoverRequest::Builder out, const HandoverRequest& request) {
  out.setRequest(request.request.value);
  out.setTo(text_of(request.to));
  out.setEpoch(request.epoch.value);
}

HandoverRequest get(schema::HandoverRequest::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()}, checks.name(in.getTo(), "a broker that is not a name"),
          Epoch{in.getEpoch()}};
}

void put(schema::HandoverAnswer::Builder out, const HandoverAnswer& answer) {
  out.setRequest(answer.request.value);
  out.setOutcome(static_cast<schema::HandoverOutcome>(answer.outcome));
  out.setLeader(text_of(answer.leader));
  out.setEpoch(answer.epoch.value);
  out.setReason(text_of(answer.reason));
}

HandoverAnswer get(schema::HandoverAnswer::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()},
          checks.pick(in.getOutcome(), HandoverOutcome::NotTaken, "an unknown outcome"),
          checks.name(in.getLeader(), "a leader that is not a name"), Epoch{in.getEpoch()},
          checks.text(in.getReason(), limits::text_length, "a reason over 4096 bytes")};
}

}  // namespace cidbus::wire
