#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>

#include "client/command/address_check.h"
#include "client/command/config_check.h"
#include "client/command/json_writer.h"
#include "client/command/machine_checks.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/base/limits/links.h"
#include "shared/io/bus_asker.h"
#include "shared/io/clock.h"
#include "shared/settings/config_file.h"

namespace cidbus {
namespace {

using State = Finding::State;

constexpr Duration answer_time = std::chrono::seconds(3);
constexpr const char* is_a_broker = "it is a broker of this cluster, and ";
constexpr Duration skew_most = std::chrono::seconds(5);
constexpr std::size_t silent_most = 5;  // block exchanges found silent before the others are left out

std::string_view to_text(State state) {
  constexpr std::string_view names[] = {"ok", "warning", "bad"};
  return names[static_cast<std::size_t>(state)];
}

Finding check_configuration(const Context& context) {
  const CommonOptions& common = context.common();
  if (common.settings_fault) {
    const Fault& why = *common.settings_fault;
    return {"configuration", State::Bad, why.message, "mend it; 'cidbus config check' checks it again",
            exit_code(why.kind)};
  }
  std::string read;
  for (const std::string& file : common.config_files) {
    const auto there = read_config_file_if_there(file);
    if (there && *there) read += (read.empty() ? "" : ", ") + printable(file);
  }
  return {"configuration", State::Ok, read.empty() ? "no file; defaults, environment and flags" : read, "",
          1};
}

// What the roles that are installed here think of their tables.
void check_roles(Context& context, std::vector<Finding>& findings) {
  for (const std::string& file : context.common().config_files) {
    const auto there = read_config_file_if_there(file);
    if (!there || !*there) continue;
    const auto verdicts = check_config_file(context, file);
    if (!verdicts) continue;  // check_configuration() has said so
    for (const ConfigVerdict& verdict : *verdicts) {
      if (verdict.program == "cidbus") continue;
      Finding finding{"configuration of " + verdict.program, State::Ok, printable(file), "", 1};
      if (verdict.code != 0)
        finding = {finding.check, State::Bad, printable(verdict.problem),
                   "mend it; 'cidbus config check' checks it again", verdict.code};
      else if (verdict.state != "ok")
        finding.found = printable(verdict.problem);
      findings.push_back(std::move(finding));
    }
  }
}

Finding check_keys(const Context& context) {
  const Trust& trust = context.common().trust;
  if (trust.fault) {
    return {"keys", State::Bad, printable(trust.fault->message),
            "mend --key-file and --allow-file; 'cidbus keygen --help' tells how they are made",
            exit_code(trust.fault->kind)};
  }
  if (trust.insecure) {
    return {"keys", State::Warning, "--insecure: whoever reaches a port of this cluster is believed",
            "give each node and person a key: 'cidbus keygen --help'", 1};
  }
  if (trust.keys == nullptr) {
    for (const std::string& address : context.common().brokers) {
      const Status may = may_use(trust, "connect to", address);
      if (may) continue;
      return {"keys", State::Bad, printable(may.error().message),
              "make one: cidbus keygen NAME; put its line into the allow-list of every node",
              exit_code(may.error().kind)};
    }
    return {"keys", State::Ok, "none, and none is needed on 127.0.0.1", "", 1};
  }
  const KeyHolder& self = trust.keys->self();
  const std::string found = "'" + printable(self.name) + "' as " + to_text(self.roles) + ", by " +
                            printable(trust.keys->allow_file());
  if (self.may_be(Role::Client)) return {"keys", State::Ok, found, "", 1};
  return {"keys", State::Bad, found, "add the role client to its line there, or give another --key-file",
          exit_code(FaultKind::NotAllowed)};
}

// What one answer of the cluster tells.
struct View {
  std::string leader;
  std::size_t workers = 0;
  std::size_t missing = 0;  // members that are suspect or dead
  WallTime newest_sign;
  std::vector<std::pair<std::string, std::string>> exchanges;  // who serves blocks, and where
};

View view_of(const Snapshot& snapshot) {
  View view;
  view.leader = snapshot.leader;
  for (const Member& member : snapshot.members) {
    const bool alive = member.state == MemberState::Alive;
    if (member.role == Role::Worker && alive) ++view.workers;
    if (member.state == MemberState::Suspect || member.state == MemberState::Dead) ++view.missing;
    if (alive && view.newest_sign < member.last_seen) view.newest_sign = member.last_seen;
    if (alive && !member.exchange.empty()) view.exchanges.emplace_back(member.name, member.exchange);
  }
  return view;
}

// Whether the broker that says this listens at one of them.
bool is_one_of(const std::vector<std::string>& addresses, const BrokerStatus& status) {
  return std::any_of(status.brokers.begin(), status.brokers.end(), [&](const BrokerPeer& broker) {
    return broker.name == status.name &&
           std::find(addresses.begin(), addresses.end(), broker.endpoint) != addresses.end();
  });
}

// Asks the brokers of `addresses`, and nobody else.
Result<View> ask(Context& context, const std::vector<std::string>& addresses) {
  BusAsker asker(context.sockets(), context.new_identity(), addresses);
  const RequestId request = asker.next_request();
  View view;
  const Status asked =
      asker.ask(SnapshotRequest{request}, context.deadline(answer_time), [&](const Message& message) {
        const auto* snapshot = std::get_if<Snapshot>(&message);
        if (snapshot == nullptr || snapshot->request != request) return false;
        view = view_of(*snapshot);
        return true;
      });
  if (asked) return view;
  if (asked.error().kind != FaultKind::Unavailable) return tl::unexpected(asked.error());
  Fault why = asked.error();
  const Monotonic most = read_clock().monotonic + limits::status_answer_time;
  static_cast<void>(asker.ask_brokers(most, [&](const BrokerStatus& status) {
    if (!is_one_of(addresses, status)) return false;
    why.message = is_a_broker;
    why.message += status.leader.empty() ? "none of them is in office"
                                         : "the leader that it follows, " + std::string(status.leader) +
                                               ", is not reached from here";
    return true;
  }));
  return tl::unexpected(why);
}

std::string advice_for(const Fault& why) {
  const FaultKind kind = why.kind;
  if (why.message.starts_with(is_a_broker))
    return "start a majority of the brokers, and see that each is reached from here: 'cidbus cluster status'";
  if (kind == FaultKind::NotAllowed)
    return "give the --cluster, the key and the version that this broker takes";
  if (kind == FaultKind::TryAgain) return "it is there and cannot answer now: see to what it waits for";
  if (kind != FaultKind::Unavailable && kind != FaultKind::TimedOut) return "mend that first";
  return "what listens there is no broker of this cluster: look who it is, or mend --brokers";
}

Finding check_broker(Context& context, const std::string& address) {
  const std::string name = "broker " + printable(address);
  const auto begun = std::chrono::steady_clock::now();
  const auto view = ask(context, {address});
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count();
  if (view) {
    return {name, State::Ok,
            "answers in " + std::to_string(milliseconds) + " ms, protocol " +
                std::to_string(protocol_version) + ", cluster " + context.common().cluster,
            "", 1};
  }
  return {name, State::Bad, printable(view.error().message), advice_for(view.error()),
          exit_code(view.error().kind)};
}

// add, get and cat speak to those who hold blocks, not through the broker.
void check_exchanges(Context& context, const View& view, std::vector<Finding>& findings) {
  const std::string found = "all of " + std::to_string(view.exchanges.size()) + " reached";
  Finding all{"block exchange", State::Ok, found, "", 1};
  std::size_t silent = 0;
  for (const auto& [name, endpoint] : view.exchanges) {
    if (silent == silent_most) break;
    const auto patience = context.deadline(answer_time) - read_clock().monotonic;
    const Finding reached = check_address(endpoint, patience);
    if (reached.state == State::Ok) continue;
    ++silent;
    all = {"block exchange", State::Bad,
           "that of " + printable(name) + " at " + printable(endpoint) + ": " + reached.found,
           "add and get need it: let its port through, or give " + printable(name) +
               " an --exchange that is reached from here",
           exit_code(FaultKind::Unavailable)};
  }
  if (silent > 1) all.found += " (and " + std::to_string(silent - 1) + " more)";
  if (!view.exchanges.empty()) findings.push_back(std::move(all));
}

void check_cluster(Context& context, std::vector<Finding>& findings) {
  const auto view = ask(context, context.common().brokers);
  if (!view) return;  // each broker has said so by itself
  if (view->leader.empty()) {
    findings.push_back({"leader", State::Bad, "nobody is in office", "start a majority of the brokers",
                        exit_code(FaultKind::Unavailable)});
    return;
  }
  findings.push_back({"leader", State::Ok, printable(view->leader), "", 1});
  Finding workers{"workers", State::Ok, std::to_string(view->workers) + " alive", "", 1};
  if (view->workers == 0) {
    workers.state = State::Bad;
    workers.advice = "nobody runs tasks; start cidbus-worker --brokers with these addresses";
  }
  findings.push_back(std::move(workers));
  check_exchanges(context, *view, findings);
  if (view->missing > 0) {
    findings.push_back({"members", State::Warning, std::to_string(view->missing) + " suspect or dead",
                        "see 'cidbus cluster members'; start them again, or leave them be", 1});
  }
  const Duration skew = read_clock().wall - view->newest_sign;
  if (view->newest_sign == WallTime{} || (skew < skew_most && -skew < skew_most)) return;
  findings.push_back({"clock of the leader", State::Warning, "differs from this one by more than 5 s",
                      "synchronise both; delays and deadlines are in wall time", 1});
}

std::vector<Finding> examine(Context& context, const std::string& data) {
  std::vector<Finding> findings{check_open_files(), check_memory(), check_clock()};
  if (!data.empty()) findings.push_back(check_disk(data));
  findings.push_back(check_program("bwrap", "workers wall in programs of users with it", "bubblewrap"));
  for (const auto& [port, use] :
       {std::pair(9096U, "broker's bus"), std::pair(9097U, "feed out"), std::pair(9098U, "feed in"),
        std::pair(9099U, "brokers among themselves"), std::pair(9100U, "brokers' journals"),
        std::pair(9101U, "broker's HTTP"), std::pair(9110U, "block exchange"), std::pair(8080U, "gateway"),
        std::pair(8088U, "observer")})
    findings.push_back(check_port(port, use));
  findings.push_back(check_configuration(context));
  check_roles(context, findings);
  findings.push_back(check_keys(context));
  for (const std::string& address : context.common().brokers) {
    findings.push_back(check_address(address, context.deadline(answer_time) - read_clock().monotonic));
    if (findings.back().state == State::Ok) findings.push_back(check_broker(context, address));
  }
  check_cluster(context, findings);
  return findings;
}

void print(Output& output, const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  output.open_list();
  for (const Finding& finding : findings) {
    const std::string state(to_text(finding.state));
    if (output.is_json()) {
      JsonWriter json;
      json.open_object().name("check").string(finding.check).name("state").string(state);
      json.name("found").string(finding.found).name("advice").string_or_null(finding.advice);
      output.item(json.close_object().text());
    } else if (output.format() == Format::Quiet) {
      if (finding.state != State::Ok) output.line(finding.check);
    } else {
      rows.push_back({state, finding.check, finding.found});
      if (!finding.advice.empty()) rows.push_back({"", "", "-> " + finding.advice});
    }
  }
  output.close_list();
  output.table(rows);
}

Result<int> doctor(Context& context, const std::string& data) {
  const std::vector<Finding> findings = examine(context, data);
  print(context.output(), findings);
  const auto bad = [](const Finding& finding) { return finding.state == State::Bad; };
  const auto first = std::find_if(findings.begin(), findings.end(), bad);
  if (first == findings.end()) return 0;
  context.complain(std::to_string(std::count_if(findings.begin(), findings.end(), bad)) +
                   " of these checks found something wrong, first '" + first->check +
                   "'; do what stands below each");
  return first->code;
}

}  // namespace

void add_doctor_command(CommandRegistry& registry) {
  const auto data = std::make_shared<std::string>();  // shared by the option and the action
  registry
      .leaf(registry.root(),
            {"doctor", "Check this machine, its configuration and the way to the cluster, and say what to do",
             "  cidbus doctor\n  cidbus doctor --data /var/lib/cidbus/b1     room and speed of a disk too\n"
             "  cidbus doctor --brokers 10.0.0.1:9096 --output json\n"
             "The exit code is that of the first check that found something wrong; warnings leave it 0.\n",
             true},
            [data](Context& context) { return doctor(context, *data); })
      .add_option("--data", *data, "A folder whose disk is measured; a small file is written and removed")
      ->type_name("FOLDER");
}

}  // namespace cidbus
