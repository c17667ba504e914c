#include "node/greeting.h"

#include <algorithm>

#include "shared/io/trust.h"

namespace cidbus {
namespace {

std::string value_of(const Words& words, const std::string& flag, const std::string& otherwise) {
  std::string value = otherwise;
  for (const std::string& word : words)
    if (word.starts_with(flag + "=")) value = word.substr(flag.size() + 1);
  return value;
}

std::string with_cluster(const std::string& cluster) {
  return cluster == "cidbus" ? "" : " --cluster " + cluster;
}

std::string how_to_join(const Greeting& greeting, const std::string& broker) {
  if (is_loopback(broker)) {
    return "Only this machine reaches it. For others start it with --listen ADDRESS:PORT, and with "
           "--insecure where "
           "whoever reaches\nthese ports may be believed; otherwise with keys, as docs/keys.md tells.\n";
  }
  return "To join, on a second machine:\n  cidbus-node --role auto --data ~/.cidbus --brokers " + broker +
         " --exchange THAT-MACHINE:9110" + with_cluster(greeting.cluster) +
         (greeting.insecure ? " --insecure" : " --key-file FILE") + "\n";
}

}  // namespace

std::string greeting_text(const Greeting& greeting) {
  const auto has = [&](Role role) {
    return std::find(greeting.roles.begin(), greeting.roles.end(), role) != greeting.roles.end();
  };
  const std::string broker = value_of(greeting.words, "--listen", "127.0.0.1:9096");
  std::string text;
  if (has(Role::Gateway))
    text += "content   http://" + value_of(greeting.words, "--http", "127.0.0.1:8080") + "/ipfs/CID\n";
  const std::string page = value_of(greeting.words, "--page", "");
  if (has(Role::Observer) && !page.empty()) text += "page      http://" + page + "/\n";
  if (!has(Role::Master)) return text;
  text = "broker    " + broker + "\n" + text;
  text += "Try it:   cidbus --brokers " + broker + with_cluster(greeting.cluster) +
          (greeting.insecure && !is_loopback(broker) ? " --insecure" : "") + " add FILE\n";
  return text + how_to_join(greeting, broker);
}

}  // namespace cidbus
