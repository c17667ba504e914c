#include <cstdlib>
#include <sstream>

#include "cidbus/cluster.h"

namespace cidbus::v1 {
namespace {

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

std::vector<std::string> default_brokers() {
  std::istringstream list(environment("CIDBUS_BROKERS", "127.0.0.1:9096"));
  std::vector<std::string> brokers;
  for (std::string broker; std::getline(list, broker, ',');) brokers.push_back(broker);
  return brokers;
}

std::string default_cluster() { return environment("CIDBUS_CLUSTER", "cidbus"); }

}  // namespace cidbus::v1
