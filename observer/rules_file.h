// The file of --rules: rules of one's own, changes to the default ones, and where alerts go.
//
//     [rule.disk_free]          # of a default rule what is given is changed; another name makes a new rule
//     warning = 5e9
//     [rule.backlog]
//     series = "tasks_pending"
//     when = "above"
//     warning = 1000
//     for = "1m"
//     [sink.operator]           # a program, with the alert as JSON on standard input
//     command = ["/usr/local/bin/notify", "--urgent"]
//     [sink.chat]               # or an address to POST it to
//     webhook = "https://chat.example.org/hooks/42"
//     level = "critical"
//
// Faults: BadData beginning with FILE:LINE.
//
// Thread rule: functions. Limits: limits::alert_rules, limits::alert_sinks.
#pragma once

#include <string>
#include <vector>

#include "observer/core/alert_rule.h"
#include "shared/base/result.h"

namespace cidbus {

struct AlertSink {
  std::string name;
  std::vector<std::string> command;  // or
  std::string webhook;
  AlertLevel least = AlertLevel::Warning;
};
struct AlertSetup {
  std::vector<AlertRule> rules = default_alert_rules();
  std::vector<AlertSink> sinks;
};

Result<AlertSetup> read_rules_file(const std::string& path);
// `file` is what messages call the text.
Result<AlertSetup> parse_rules(std::string_view text, const std::string& file);

}  // namespace cidbus
