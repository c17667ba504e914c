// `cidbus task logs`: what is kept of a task's attempts.
#include "client/command/task_logs.h"

#include "client/command/json_writer.h"
#include "client/command/values.h"

namespace cidbus {
namespace {

std::string to_json(const AttemptRecord& record) {
  JsonWriter json;
  json.open_object();
  json.name("attempt").number(record.attempt);
  json.name("outcome").string(record.how);
  json.name("worker").string_or_null(record.worker);
  json.name("exit").string_or_null(record.ended);
  json.name("error").string_or_null(record.error);
  json.name("started_at").string_or_null(to_rfc3339(record.started));
  json.name("finished_at").string_or_null(to_rfc3339(record.finished));
  json.name("stdout").string(record.output);
  json.name("stderr").string(record.errors);
  json.close_object();
  return json.text();
}

// Line by line, so that nothing a program said can move the cursor or look like a line of ours.
void print_text(Output& output, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  output.line("  " + std::string(name) + ":");
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    output.line("    " + printable(std::string(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void print_for_people(Output& output, const AttemptRecord& record) {
  std::string head = "attempt " + std::to_string(record.attempt) + "  " + printable(record.how);
  if (!record.worker.empty()) head += "  on " + printable(record.worker);
  if (record.started.milliseconds != 0) head += "  " + to_rfc3339(record.started) + " to";
  head += "  " + to_rfc3339(record.finished);
  output.line(head);
  if (!record.ended.empty()) output.line("  " + printable(record.ended));
  if (!record.error.empty()) output.line("  error: " + printable(record.error));
  print_text(output, "stdout", record.output);
  print_text(output, "stderr", record.errors);
}

}  // namespace

void print_logs(Output& output, const std::vector<AttemptRecord>& records) {
  if (output.is_json()) {
    output.open_list();
    for (const AttemptRecord& record : records) output.item(to_json(record));
    return output.close_list();
  }
  for (const AttemptRecord& record : records) {
    if (output.format() == Format::Table) print_for_people(output, record);
    if (output.format() == Format::Quiet) output.line(std::to_string(record.attempt));
  }
  if (records.empty() && output.format() == Format::Table)
    output.line("no attempt has failed or said anything yet");
}

}  // namespace cidbus
