#include "shared/node/config_keys.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "shared/base/limits/brokers.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t ms(milliseconds duration) { return duration.count(); }
constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
constexpr std::int64_t gibibyte = std::int64_t{1} << 30;
// Heartbeats that may be lost on the way before a node is taken for dead.
constexpr std::int64_t heartbeats_a_timeout = 3;

constexpr std::array<ConfigKeyInfo, config_key_count> table{{
    {"heartbeat_interval", ConfigUnit::Time, 100, 30 * second, ms(limits::heartbeat), false,
     "How often a node says that it lives, on the bus and on the feed.",
     "every node: its heartbeats, and its pings to the leader"},
    {"node_timeout", ConfigUnit::Time, second, 10 * minute, ms(limits::node_timeout), false,
     "How long a node may be silent before it is dead, and a leader before a node looks for another.",
     "the leader's table of members and its connections; every node's link to the leader"},
    {"reconnect_grace", ConfigUnit::Time, 100, minute, ms(limits::reconnect_grace), false,
     "How long a node whose connection broke may take to come back before it is dead.",
     "the leader's table of members"},
    {"lease_length", ConfigUnit::Time, 3 * second, hour, ms(limits::lease), false,
     "How long a worker may be silent about an attempt before another one gets it. Strict task types always "
     "have 30s: what was promised under one length must hold under the next.",
     "the leader's leases; how often every worker renews (three times a lease)"},
    {"task_timeout_default", ConfigUnit::Time, second, 30 * day, 0, true,
     "The time limit of an attempt of a task that was submitted without one.",
     "the leader, as it hands a task out"},
    {"retry_backoff_most", ConfigUnit::Time, second, day, ms(limits::backoff_most), false,
     "The longest wait before another try of a task.", "the leader, as an attempt asks for another try"},
    {"lost_attempts_most", ConfigUnit::Count, 1, 100, limits::lost_attempts, false,
     "How many attempts of a task may end with their worker; then the task fails.",
     "the leader, as a worker is lost"},
    {"tasks_most", ConfigUnit::Count, 1, limits::tasks, limits::tasks, false,
     "How many tasks the brokers hold, in any state; past it submissions are refused for now.",
     "the leader, as a task is submitted"},
    {"task_events_a_second", ConfigUnit::Count, 1, 100'000, limits::task_events, false,
     "How many single task events go out on the feed; what is left out is counted.", "the leader's feed"},
    {"counters_interval", ConfigUnit::Time, 100, minute, 250, false,
     "How often the leader tells its counters on the feed.", "the leader's feed"},
    {"key_ttl", ConfigUnit::Time, minute, 30 * day, ms(limits::key_ttl), false,
     "How long a finished task is found again by its --key. Keys of a leecher's outbox have 30d.",
     "every broker's state, in the order of the journal"},
    {"result_ttl", ConfigUnit::Time, minute, 90 * day, ms(limits::result_ttl), false,
     "How long a result is kept for a client that does not come for it.",
     "every broker's state, in the order of the journal"},
    {"finished_kept", ConfigUnit::Count, 1, 10'000'000, limits::finished_kept, false,
     "How many finished tasks are kept for 'cidbus task show' once nobody is owed their results.",
     "every broker's state, in the order of the journal"},
    {"snapshot_after", ConfigUnit::Size, mebibyte, 64 * gibibyte, gibibyte, false,
     "How much journal gathers before a broker takes a snapshot and frees what is older.", "every broker"},
}};

struct Factor {
  std::string_view name;
  std::int64_t each;
};
constexpr std::array<Factor, 5> time_units{
    {{"ms", 1}, {"s", second}, {"m", minute}, {"h", hour}, {"d", day}}};
constexpr std::array<Factor, 5> byte_units{
    {{"B", 1}, {"KiB", 1024}, {"MiB", mebibyte}, {"GiB", gibibyte}, {"TiB", 1024 * gibibyte}}};

std::span<const Factor> units_of(ConfigUnit unit) {
  if (unit == ConfigUnit::Time) return time_units;
  if (unit == ConfigUnit::Size) return byte_units;
  return {};
}

bool is_within(const ConfigKeyInfo& key, std::int64_t value) {
  return (value >= key.least && value <= key.most) || (value == 0 && key.zero_is_none);
}

}  // namespace

std::span<const ConfigKeyInfo> config_keys() { return table; }

const ConfigKeyInfo& info_of(ConfigKey key) { return table.at(static_cast<std::size_t>(key)); }

std::optional<ConfigKey> find_config_key(std::string_view name) {
  for (std::size_t place = 0; place < table.size(); ++place)
    if (table[place].name == name) return static_cast<ConfigKey>(place);
  return std::nullopt;
}

std::optional<std::int64_t> parse_config_value(const ConfigKeyInfo& key, std::string_view text) {
  if (text == "none" && key.zero_is_none) return 0;
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit(after, static_cast<std::size_t>(end - after));
  std::int64_t each = unit.empty() && key.unit == ConfigUnit::Count ? 1 : 0;
  for (const Factor& factor : units_of(key.unit))
    if (factor.name == unit) each = factor.each;
  if (each == 0 || number > std::numeric_limits<std::int64_t>::max() / each) return std::nullopt;
  const std::int64_t value = number * each;
  return value != 0 && is_within(key, value) ? std::optional(value) : std::nullopt;  // none is a word
}

std::string config_value_text(const ConfigKeyInfo& key, std::int64_t value) {
  if (value == 0 && key.zero_is_none) return "none";
  Factor largest{"", 1};
  for (const Factor& factor : units_of(key.unit))
    if (factor.each == 1 || (value != 0 && value % factor.each == 0)) largest = factor;
  return std::to_string(value / largest.each) + std::string(largest.name);
}

std::string bounds_text(const ConfigKeyInfo& key) {
  return "from " + config_value_text(key, key.least) + " to " + config_value_text(key, key.most) +
         (key.zero_is_none ? ", or none" : "");
}

ConfigValues::ConfigValues() {
  for (std::size_t place = 0; place < table.size(); ++place) values_[place] = table[place].initial;
}

void ConfigValues::take(std::span<const ConfigEntry> entries) {
  for (const ConfigEntry& entry : entries) {
    const auto key = find_config_key(entry.key);
    if (key && is_within(info_of(*key), entry.value)) set(*key, entry.value);
  }
}

std::string ConfigValues::contradiction() const {
  if (of(ConfigKey::NodeTimeout) < heartbeats_a_timeout * of(ConfigKey::HeartbeatInterval)) {
    return "node_timeout must be at least three times heartbeat_interval";
  }
  return {};
}

std::string config_keys_document() {
  std::string text =
      "# Configuration by vote: the keys\n\n"
      "What a running cluster can be told, by `cidbus config propose KEY VALUE`. How the vote goes:\n"
      "[configuration.md](configuration.md#by-vote). This page is printed from the program's own table\n"
      "(`shared/node/config_keys.cpp`); a test holds it against it.\n\n"
      "| key | bounds | at first | what it is | what lives by it |\n|---|---|---|---|---|\n";
  for (const ConfigKeyInfo& key : table) {
    text += "| `" + std::string(key.name) + "` | " + bounds_text(key) + " | " +
            config_value_text(key, key.initial) + " | " + std::string(key.meaning) + " | " +
            std::string(key.moved) + " |\n";
  }
  text +=
      "\nTimes are a whole number and `ms`, `s`, `m`, `h` or `d`; bytes a whole number and `B`, `KiB`, "
      "`MiB`, "
      "`GiB` or `TiB`.\nWhat contradicts another value is refused: node_timeout must be at least three times "
      "heartbeat_interval.\n";
  return text;
}

std::string proposal_value_text(const Proposal& proposal) {
  if (proposal.kind == ProposalKind::MembershipChange) return proposal.value == 0 ? "allow" : "forbid";
  if (proposal.kind == ProposalKind::RoleChange)
    return std::string(to_text(static_cast<Role>(proposal.value)));
  const auto key = find_config_key(proposal.subject);
  return key ? config_value_text(info_of(*key), proposal.value) : std::to_string(proposal.value);
}

}  // namespace cidbus
