#include "shared/node/config_keys.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "shared/base/ids.h"

namespace cidbus {
namespace {

TEST(ConfigKeys, InitialValuesAreWithinTheirBoundsAndContradictNothing) {
  std::set<std::string_view> names;
  for (const ConfigKeyInfo& key : config_keys()) {
    EXPECT_TRUE(is_valid_name(key.name)) << key.name;
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_EQ(parse_config_value(key, config_value_text(key, key.initial)), key.initial) << key.name;
    EXPECT_FALSE(key.meaning.empty() || key.moved.empty()) << key.name;
  }
  EXPECT_EQ(ConfigValues().contradiction(), "");
  EXPECT_EQ(find_config_key("snapshot_after"), ConfigKey::SnapshotAfter) << "the last of them";
  EXPECT_EQ(find_config_key("no_such_key"), std::nullopt);
}

TEST(ConfigKeys, AValueIsReadAsItIsWritten) {
  for (const ConfigKeyInfo& key : config_keys()) {
    for (const std::int64_t value : {key.least, key.most, key.least + 1})
      EXPECT_EQ(parse_config_value(key, config_value_text(key, value)), value) << key.name;
  }
  const ConfigKeyInfo& interval = info_of(ConfigKey::HeartbeatInterval);
  EXPECT_EQ(config_value_text(interval, 1500), "1500ms");
  EXPECT_EQ(config_value_text(interval, 2000), "2s");
  EXPECT_EQ(parse_config_value(interval, "2000ms"), 2000);
  EXPECT_EQ(config_value_text(info_of(ConfigKey::SnapshotAfter), std::int64_t{3} << 20), "3MiB");
  EXPECT_EQ(config_value_text(info_of(ConfigKey::TaskTimeoutDefault), 0), "none");
  EXPECT_EQ(parse_config_value(info_of(ConfigKey::TaskTimeoutDefault), "none"), 0);
  EXPECT_EQ(parse_config_value(info_of(ConfigKey::TaskTimeoutDefault), "0s"), std::nullopt);
}

TEST(ConfigKeys, WhatIsNoValueOrOutOfBoundsIsNone) {
  const ConfigKeyInfo& interval = info_of(ConfigKey::HeartbeatInterval);
  for (const char* text : {"", "s", "2", "-2s", "+2s", "2 s", "2x", "1.5s", "99ms", "31s", "0s", "none",
                           "9999999999999999999999s", "9223372036854775807d", "2sx"})
    EXPECT_EQ(parse_config_value(interval, text), std::nullopt) << text;
  EXPECT_EQ(parse_config_value(info_of(ConfigKey::LostAttemptsMost), "20s"), std::nullopt);
  EXPECT_EQ(parse_config_value(info_of(ConfigKey::SnapshotAfter), "1048576"), std::nullopt) << "no unit";
  EXPECT_EQ(bounds_text(interval), "from 100ms to 30s");
  EXPECT_EQ(bounds_text(info_of(ConfigKey::TaskTimeoutDefault)), "from 1s to 30d, or none");
}

TEST(ConfigKeys, EntriesOfAnotherVersionArePassedOver) {
  ConfigValues values;
  const std::array<ConfigEntry, 3> entries{{{"heartbeat_interval", 2000, 1, 1, {}},
                                            {"from_the_future", 7, 2, 2, {}},
                                            {"lease_length", 1, 3, 3, {}}}};
  values.take(entries);
  EXPECT_EQ(values.time(ConfigKey::HeartbeatInterval), std::chrono::seconds(2));
  EXPECT_EQ(values.of(ConfigKey::LeaseLength), info_of(ConfigKey::LeaseLength).initial);
}

TEST(ConfigKeys, ATimeoutOfFewerThanThreeHeartbeatsIsAContradiction) {
  ConfigValues values;
  values.set(ConfigKey::HeartbeatInterval, 1666);
  EXPECT_EQ(values.contradiction(), "");
  values.set(ConfigKey::HeartbeatInterval, 1667);
  EXPECT_NE(values.contradiction(), "");
}

// CIDBUS_UPDATE=1 writes it anew.
TEST(ConfigKeys, TheDocumentIsCurrent) {
  const std::string path = CIDBUS_SOURCE_DIR "/docs/config-keys.md";
  if (std::getenv("CIDBUS_UPDATE") != nullptr) std::ofstream(path) << config_keys_document();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), config_keys_document())
      << "CIDBUS_UPDATE=1 build/release/bin/node_test --gtest_filter='ConfigKeys.*' writes it anew";
}

}  // namespace
}  // namespace cidbus
