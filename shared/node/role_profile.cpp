#include "shared/node/role_profile.h"

#include "shared/base/ensure.h"

namespace cidbus {

using namespace std::chrono_literals;

RoleProfiles default_profiles() {
  //          role          MiB  GiB cores Mbit  h  automatic check stable cool-down
  return {
      {{Role::Master,
        2048,
        10,
        4,
        10,
        12,
        true,
        120s,
        0.40,
        3600s,
        {"cluster_management", "dht_server", "content_routing", "task_distribution", "metadata_indexing",
         "persistent_storage", "high_replication"}},
       {Role::Worker, 1024, 5, 2, 5, 4, true, 180s, 0.30, 1800s, {"content_routing", "persistent_storage"}},
       {Role::Leecher, 512, 1, 1, 1, 0, true, 600s, 0.20, 900s, {}},
       {Role::Gateway,
        1024,
        5,
        2,
        20,
        24,
        false,
        120s,
        0.50,
        7200s,
        {"content_routing", "persistent_storage", "http_gateway"}},
       {Role::Observer, 512, 1, 1, 1, 0, false, 60s, 0.15, 600s, {"monitoring"}}}};
}

RoleProfile& profile_of(RoleProfiles& profiles, Role role) {
  const auto place = static_cast<std::size_t>(role);
  ENSURE(place < profiles.size() && profiles[place].role == role, "role", place);
  return profiles[place];
}

const RoleProfile& profile_of(const RoleProfiles& profiles, Role role) {
  return profile_of(const_cast<RoleProfiles&>(profiles), role);
}

}  // namespace cidbus
