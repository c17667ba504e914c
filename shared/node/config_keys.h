// What a cluster can be told by vote: every key, its bounds, and what it is while nobody has voted on it.
//
// One table serves the broker that takes proposals, the nodes that live by the values, the command that
// prints them and docs/config-keys.md, which is printed from it. A key is here only if its value moves
// something, at once and on every node that the table names.
//
// Values are whole numbers in the key's unit: milliseconds, bytes, or things counted. A state may hold keys
// of another version of the program: those are kept and move nothing here.
//
// Invariants: 1. The initial values are within their bounds and contradict nothing. 2. parse() takes what
// to_text() gives.
//
// Thread rule: values, and functions of their arguments. Limits: limits/config.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shared/core/config_messages.h"

namespace cidbus {

// The order of the table; on disk and on the wire keys go by their names.
enum class ConfigKey : std::uint8_t {
  HeartbeatInterval,
  NodeTimeout,
  ReconnectGrace,
  LeaseLength,
  TaskTimeoutDefault,
  RetryBackoffMost,
  LostAttemptsMost,
  TasksMost,
  TaskEventsASecond,
  CountersInterval,
  KeyTtl,
  ResultTtl,
  FinishedKept,
  SnapshotAfter,
};
inline constexpr std::size_t config_key_count = 14;

enum class ConfigUnit : std::uint8_t { Time, Size, Count };

struct ConfigKeyInfo {
  std::string_view name;
  ConfigUnit unit = ConfigUnit::Count;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t initial = 0;
  bool zero_is_none = false;  // 0 is a value too, below `least`, and means: no such bound
  std::string_view meaning;   // a sentence
  std::string_view moved;     // what lives by it, and where
};

std::span<const ConfigKeyInfo> config_keys();
const ConfigKeyInfo& info_of(ConfigKey key);
std::optional<ConfigKey> find_config_key(std::string_view name);

// "30s", "256MiB", "12", "none". What is written as a value of the key; nothing when it is none, or out of
// bounds.
std::optional<std::int64_t> parse_config_value(const ConfigKeyInfo& key, std::string_view text);
std::string config_value_text(const ConfigKeyInfo& key, std::int64_t value);
// What a proposal asks for, likewise: "30s"; forbid, allow; the name of a role.
std::string proposal_value_text(const Proposal& proposal);
// "from 100ms to 1m": for a refusal.
std::string bounds_text(const ConfigKeyInfo& key);

// All values at one moment.
class ConfigValues {
 public:
  ConfigValues();  // the initial ones

  // Entries of keys that are not known here, or with values this version does not take, are passed over.
  void take(std::span<const ConfigEntry> entries);
  void set(ConfigKey key, std::int64_t value) { values_.at(static_cast<std::size_t>(key)) = value; }
  [[nodiscard]] std::int64_t of(ConfigKey key) const { return values_[static_cast<std::size_t>(key)]; }
  // REQUIRES: a key whose unit is Time.
  [[nodiscard]] std::chrono::milliseconds time(ConfigKey key) const {
    return std::chrono::milliseconds(of(key));
  }
  // What two values of it make impossible; empty when they can live together.
  [[nodiscard]] std::string contradiction() const;

  friend bool operator==(const ConfigValues&, const ConfigValues&) = default;

 private:
  std::array<std::int64_t, config_key_count> values_{};
};

// docs/config-keys.md, whole.
std::string config_keys_document();

}  // namespace cidbus
