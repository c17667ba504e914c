#include "shared/content/import_profile.h"

#include <string>

#include "shared/content/quote.h"

namespace cidbus {

Result<ImportProfile> find_profile(std::string_view name) {
  std::string names;
  for (const ImportProfile& profile : {unixfs_v1_2025, unixfs_v0_2015, kubo_cidv1_raw_256k}) {
    if (profile.name == name) return profile;
    if (!names.empty()) names += ", ";
    names += profile.name;
  }
  return fault(FaultKind::BadUsage, "unknown profile " + in_quotes(name) + "; use one of " + names);
}

}  // namespace cidbus
