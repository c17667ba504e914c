// A group of brokers at one moment, put together from what each of them answers for itself.
//
// Whoever answers is described by its own words, whoever does not by the words of the others: when they heard
// it last, and what the leader knows to be on its disk.
//
// Thread rule: one owner. Limits: limits::brokers brokers; those of a second group are not taken.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/core/message.h"

namespace cidbus {

class GroupOverview {
 public:
  struct Broker {
    std::string name;
    std::string address;
    std::optional<Duty> duty;  // nothing: it did not answer
    std::optional<std::int32_t> priority;
    Epoch epoch;
    LogIndex last;
    LogIndex durable;
    LogIndex commit;
    LogIndex applied;
    std::uint64_t config_version = 0;  // of the configuration that it has applied
    std::string follows;               // the leader it hears
    StateTrust trust = StateTrust::Good;
    LogIndex agreed;  // the newest record after which its state was found equal to the group's
    WallTime last_contact;             // 0: never, or nobody can tell
    std::optional<std::uint64_t> lag;  // records of the leader, or of the longest journal, not on its disk
  };

  // The answer of one; of two by one broker the second counts.
  void add(const BrokerStatus& status);
  // In place of answers, where no broker can be asked itself: the leader's word about all.
  void add(const Snapshot& snapshot);
  // Asks anew: who belongs to the group stays known, and nobody has answered yet.
  void begin_round();
  // Every broker that another one named has answered.
  [[nodiscard]] bool complete() const;
  [[nodiscard]] bool empty() const { return brokers_.empty(); }

  // In the order of names; `address` is put in for the one that does not tell its own.
  [[nodiscard]] std::vector<Broker> brokers(const std::string& address) const;
  // Of the highest epoch; null when nobody who answered holds office.
  [[nodiscard]] const Broker* leader() const;
  [[nodiscard]] std::size_t needed() const { return brokers_.size() / 2 + 1; }
  [[nodiscard]] std::size_t reachable() const;
  [[nodiscard]] Durability durability() const { return durability_; }
  // "2 of 3 brokers needed, 1 reachable"
  [[nodiscard]] std::string quorum_text() const;
  // Why there is no leader to be spoken to, and what to do. REQUIRES: !empty(), leader() is null.
  [[nodiscard]] std::string no_leader_text() const;

 private:
  std::map<std::string, Broker> brokers_;    // by name
  std::map<std::string, LogIndex> on_disk_;  // as the leader knows it
  Epoch on_disk_epoch_;                      // of that leader
  Durability durability_ = Durability::Disk;
};

// "leader", "standby", "electing" or "unreachable".
std::string_view state_of(const GroupOverview::Broker& broker);
// The same, for people; and what is wrong with its state: "standby, state quarantined".
std::string state_text(const GroupOverview::Broker& broker);

}  // namespace cidbus
