#include "node/role_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <variant>

#include "broker/options.h"
#include "gateway/options.h"
#include "leecher/options.h"
#include "observer/options.h"
#include "shared/base/ensure.h"
#include "shared/content/quote.h"
#include "shared/settings/nearest.h"
#include "shared/settings/option_table.h"
#include "worker/options.h"

namespace cidbus {
namespace {

constexpr std::array roles{Role::Master, Role::Worker, Role::Leecher, Role::Gateway, Role::Observer};

// The flags of a role, and what they would fill.
template <typename Flags>
std::shared_ptr<CLI::App> app_with(void (*add)(CLI::App& app, Flags& flags)) {
  struct Held {
    Flags flags;
    CLI::App app;
  };
  const auto held = std::make_shared<Held>();
  add(held->app, held->flags);
  return {held, &held->app};
}

std::shared_ptr<CLI::App> app_of(Role role) {
  switch (role) {
    case Role::Master:
      return app_with<BrokerFlags>(add_broker_flags);
    case Role::Worker:
      return app_with<WorkerFlags>(add_worker_flags);
    case Role::Leecher:
      return app_with<RunLeecher>(add_leecher_flags);
    case Role::Gateway:
      return app_with<GatewayFlags>(add_gateway_flags);
    case Role::Observer:
      return app_with<ObserverFlags>(add_observer_flags);
    case Role::Client:
      break;
  }
  ENSURE(false, "no program hosts a client");
  return nullptr;
}

const CLI::Option* find_option(CLI::App& app, const std::string& name) {
  for (const CLI::Option* option : app.get_options({})) {
    const auto& names = option->get_lnames();
    if (std::find(names.begin(), names.end(), name) != names.end()) return option;
  }
  return nullptr;
}

// "slots" of --slots and --slots=4; empty when it is no flag.
std::string flag_name(const std::string& word) {
  return word.starts_with("--") ? word.substr(2, word.find('=') - 2) : std::string();
}

Fault unknown_flag(const std::string& word) {
  std::vector<std::string> names;
  for (const Role role : roles) {
    const auto app = app_of(role);
    for (const CLI::Option* option : settings_of(*app))
      names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  const std::string name = flag_name(word);
  return {FaultKind::BadUsage, in_quotes(word) + " is a flag of no role" +
                                   (name.empty() ? "" : did_you_mean(name, names)) +
                                   "; see cidbus-node --help, and the help of the role's own program"};
}

// Why no role takes the value; empty when one does.
std::string value_refusal(const std::string& name, const std::string& value) {
  std::string why;
  for (const Role role : roles) {
    const auto app = app_of(role);
    CLI::Option* const option = find_setting(*app, name);
    if (option == nullptr) continue;
    const Status set = set_from_text(*option, value, "--" + name);
    if (set) return {};
    why = set.error().message;
  }
  return why;
}

struct FlagKind {
  bool known = false;
  bool takes_value = false;
};
FlagKind kind_of(const std::string& name) {
  for (const Role role : roles) {
    const auto app = app_of(role);
    if (const CLI::Option* const option = find_option(*app, name)) return {true, !is_flag(*option)};
  }
  return {};
}

// Of the roles hosted, the one that takes the address: two cannot listen on it.
Role who_listens(const std::string& flag, const std::vector<Role>& hosted) {
  for (const Role role : {Role::Master, Role::Gateway, Role::Worker, Role::Leecher, Role::Observer}) {
    const bool is_hosted = std::find(hosted.begin(), hosted.end(), role) != hosted.end();
    if (is_hosted && find_option(*app_of(role), flag) != nullptr) return role;
  }
  return Role::Client;
}

using Opened = Result<std::unique_ptr<RunningRole>>;

Opened bad_line(const char* program) {
  return fault(FaultKind::BadUsage, std::string("see above what ") + program + " refuses");
}

// A role whose program parses into Command, an exit code or a fault.
template <typename Command, typename Parsed>
Opened open_parsed(Parsed parsed, Opened (*open)(Command command), const char* program) {
  if (const auto* why = std::get_if<Fault>(&parsed)) return tl::unexpected(*why);
  if (auto* command = std::get_if<Command>(&parsed)) return open(std::move(*command));
  return bad_line(program);
}

// A role whose flags are all there is.
template <typename Flags>
Opened open_flags(int count, const char* const* words, void (*add)(CLI::App& app, Flags& flags),
                  Opened (*open)(const Flags& flags), const char* program) {
  Flags flags;
  CLI::App app("", program);
  add(app, flags);
  if (parse_command_line(app, count, words)) return bad_line(program);
  return open(flags);
}

}  // namespace

Result<Words> check_role_words(const Words& rest) {
  Words words;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    const std::string& word = rest[at];
    const std::string name = flag_name(word);
    const FlagKind kind = name.empty() ? FlagKind{} : kind_of(name);
    if (!kind.known) return tl::unexpected(unknown_flag(word));
    const auto equals = word.find('=');
    if (!kind.takes_value || equals != std::string::npos) {
      words.push_back(word);
    } else if (at + 1 < rest.size() && !rest[at + 1].starts_with("--")) {
      words.push_back(word + "=" + rest[++at]);
    } else {
      return fault(FaultKind::BadUsage, word + " needs a value; give " + word + " VALUE");
    }
    if (!kind.takes_value) continue;
    const std::string& whole = words.back();
    const std::string why = value_refusal(name, whole.substr(whole.find('=') + 1));
    if (!why.empty()) return fault(FaultKind::BadUsage, why);
  }
  return words;
}

Words words_of_role(Role role, const Words& words, const std::vector<Role>& hosted) {
  const auto app = app_of(role);
  Words known;
  for (const std::string& word : words) {
    const CLI::Option* const option = find_option(*app, flag_name(word));
    if (option == nullptr) continue;
    const bool is_address = option->get_type_name() == "HOST:PORT";
    if (!is_address || who_listens(flag_name(word), hosted) == role) known.push_back(word);
  }
  return known;
}

Opened open_role(Role role, const Words& given) {
  static const std::array programs{broker_program, worker_program, leecher_program, gateway_program,
                                   observer_program};
  std::vector<const char*> words{programs.at(static_cast<std::size_t>(role))};
  for (const std::string& word : given) words.push_back(word.c_str());
  const int count = static_cast<int>(words.size());
  const char* const* const all = words.data();
  switch (role) {
    case Role::Master:
      return open_flags<BrokerFlags>(count, all, add_broker_flags, open_broker, broker_program);
    case Role::Worker:
      return open_parsed<WorkerCommand>(parse_worker_options(count, all), open_worker, worker_program);
    case Role::Leecher:
      return open_parsed<RunLeecher>(parse_leecher_options(count, all), open_leecher, leecher_program);
    case Role::Gateway:
      return open_parsed<GatewayCommand>(parse_gateway_options(count, all), open_gateway, gateway_program);
    case Role::Observer:
      return open_flags<ObserverFlags>(count, all, add_observer_flags, open_observer, observer_program);
    case Role::Client:
      break;
  }
  ENSURE(false, "no program hosts a client");
  return bad_line("");
}

}  // namespace cidbus
