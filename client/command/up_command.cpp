#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "client/command/registry.h"
#include "client/command/run_program.h"
#include "client/command/values.h"
#include "shared/io/bus_link.h"

namespace cidbus {
namespace {

struct UpOptions {
  std::string folder;
  std::string listen = "127.0.0.1:9096";
  std::string http;  // empty: the broker's host, at 8080
  std::string page;  // likewise, at 8088
};

constexpr int exchange_offset = 14;  // 9110 beside a broker at 9096

// $XDG_STATE_HOME/cidbus/up, or below ~/.local/state (XDG Base Directory Specification).
Result<std::string> default_folder() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/cidbus/up";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/cidbus/up";
  return fault(FaultKind::BadUsage, "there is no HOME to keep data in; give --dir FOLDER");
}

std::string given_or_beside(const std::string& given, const std::string& broker, const char* port) {
  return given.empty() ? broker.substr(0, broker.rfind(':') + 1) + port : given;
}

Result<int> up(Context& context, const UpOptions& options) {
  const std::string path = find_program("cidbus-node", context.environment().programs);
  if (path.empty())
    return fault(FaultKind::Failed, "cidbus-node is not installed; it is what runs the cluster");
  const auto folder = options.folder.empty() ? default_folder() : Result<std::string>(options.folder);
  if (!folder) return tl::unexpected(folder.error());
  std::vector<std::string> words{path,
                                 "--role=master,worker,gateway,observer",
                                 "--data=" + *folder,
                                 "--listen=" + options.listen,
                                 "--brokers=" + options.listen,
                                 "--exchange=" + address_at(options.listen, exchange_offset),
                                 "--http=" + given_or_beside(options.http, options.listen, "8080"),
                                 "--page=" + given_or_beside(options.page, options.listen, "8088"),
                                 "--cluster=" + context.common().cluster,
                                 "--greet"};
  if (context.common().trust.insecure) words.emplace_back("--insecure");
  return become_program(words);
}

std::string one_address_problem(const std::string& text) {
  const auto addresses = parse_addresses(text);
  if (!addresses) return addresses.error().message;
  return addresses->size() == 1 ? "" : "give one HOST:PORT";
}

}  // namespace

void add_up_command(CommandRegistry& registry) {
  const auto options = std::make_shared<UpOptions>();
  CLI::App& leaf = registry.leaf(
      registry.root(),
      {"up",
       "Run a broker, a worker, a gateway and an observer in this terminal, until Ctrl+C, and say how "
       "another machine joins. Content is kept",
       "  cidbus up\n  cidbus up --dir /tmp/try\n  cidbus up --listen 192.168.1.5:9096 --insecure\n"},
      [options](Context& context) { return up(context, *options); });
  leaf.add_option("--dir", options->folder, "Folder of all that is kept; without it ~/.local/state/cidbus/up")
      ->type_name("FOLDER");
  leaf.add_option("--listen", options->listen,
                  "Address of the broker, which others join; blocks are exchanged 14 ports above it")
      ->type_name("HOST:PORT")
      ->check(one_address_problem)
      ->capture_default_str();
  leaf.add_option("--http", options->http, "Address of the gateway; without it the broker's host, port 8080")
      ->type_name("HOST:PORT")
      ->check(one_address_problem);
  leaf.add_option("--page", options->page, "Address of the web page; without it the broker's host, port 8088")
      ->type_name("HOST:PORT")
      ->check(one_address_problem);
}

}  // namespace cidbus
