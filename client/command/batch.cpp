#include "client/command/batch.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>
#include <unordered_map>

#include "client/command/content_access.h"
#include "client/command/interrupt.h"
#include "client/command/json_writer.h"
#include "client/command/line_reader.h"
#include "client/command/task_record.h"
#include "client/command/task_request.h"
#include "shared/content/posix_file.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr std::size_t rows_most = 100'000;
constexpr std::size_t held_bytes_most = 32 << 20;
constexpr Duration adding_most = std::chrono::milliseconds(50);  // of inputs, before the bus has its turn

std::size_t bytes_of(const Asked& asked) {
  std::size_t bytes = asked.traceparent.size();
  for (const std::string& input : asked.inputs) bytes += input.size();
  return bytes;
}

// A line that was read and not answered yet.
struct Row {
  std::uint64_t line = 0;  // its number in the file
  Asked asked;
  bool answered = false;
  std::string answer;  // to print
  std::string complaint;
  int code = 0;
};

class Batch : public Client::Listener {
 public:
  Batch(Context& context, int descriptor, bool wait)
      : context_(context),
        wait_(wait),
        descriptor_(descriptor),
        lines_(descriptor, batch_line_bytes),
        content_(context),
        client_(context.sockets(), context.new_identity(), context.common().brokers, settings(wait), *this) {}

  Result<int> run();

  void accepted(Ticket ticket, TaskId task, bool duplicate) override {
    if (wait_) return;
    const bool json = context_.output().is_json();
    answer(ticket, json ? accepted_json(task, duplicate) : to_text(task), "", 0);
  }
  void rejected(Ticket ticket, const Fault& why) override { refuse(ticket, why); }
  void result(Ticket ticket, const TaskInfo& info) override;
  void unknown(Ticket ticket, TaskId task) override {
    refuse(ticket, {FaultKind::TryAgain, task == TaskId{}
                                             ? "the session expired, so whether it was accepted is "
                                               "not known; give it a key to be able to repeat"
                                             : "how task " + to_text(task) + " ended is not known any more"});
  }

 private:
  static SessionSettings settings(bool wait) {
    SessionSettings settings;
    settings.await_results = wait;
    return settings;
  }
  [[nodiscard]] bool has_room() const {
    return client_.has_room() && rows_.size() < rows_most && held_bytes_ < held_bytes_most;
  }
  void take_lines();
  void take_line(const LineReader::Line& line);
  void watch_input();
  void refuse(Ticket ticket, const Fault& why);
  void answer(Ticket ticket, std::string text, std::string complaint, int code);
  Row* find_row(Ticket ticket);  // null when it was answered
  void settle(Row& row, std::string text, std::string complaint, int code);
  [[nodiscard]] std::string refusal_text(const Fault& why) const;
  void print_answered();
  [[nodiscard]] bool is_over() const { return lines_.at_end() && rows_.empty() && client_.idle(); }

  Context& context_;
  const bool wait_;
  const int descriptor_;
  LineReader lines_;
  ContentAccess content_;
  Client client_;
  std::deque<Row> rows_;       // read and not printed, in order
  std::uint64_t printed_ = 0;  // rows that were: the first of rows_ has this place
  std::unordered_map<std::uint64_t, std::uint64_t> places_;  // of a ticket's row
  std::uint64_t line_ = 0;
  std::size_t held_bytes_ = 0;
  bool watching_ = false;
  int code_ = 0;
  std::optional<Fault> failure_;  // of reading
};

// What stands in a line may have to be added first, which takes its time: the session goes on in between. It
// comes again at once when something was submitted.
void Batch::take_lines() {
  const Monotonic until = read_clock().monotonic + adding_most;
  while (has_room()) {
    const auto line = lines_.next();
    if (!line) return;
    const std::size_t submitted = places_.size();
    take_line(*line);
    if (places_.size() > submitted && read_clock().monotonic > until) return;
  }
}

void Batch::take_line(const LineReader::Line& line) {
  ++line_;
  if (!line.too_long && line.text.find_first_not_of(" \t") == std::string_view::npos) return;
  Row& row = rows_.emplace_back();
  row.line = line_;
  const auto request = line.too_long
                           ? fault(FaultKind::BadData,
                                   "the line is longer than " + std::to_string(batch_line_bytes) + " bytes")
                           : parse_batch_line(line.text, context_.traceparent());
  if (!request) {
    return settle(row, refusal_text(request.error()), request.error().message,
                  exit_code(request.error().kind));
  }
  auto work = make_work(*request, [&](const std::string& path) { return content_.add_input(path); });
  if (!work)
    return settle(row, refusal_text(work.error()), work.error().message, exit_code(work.error().kind));
  if (wait_) row.asked = std::move(work->asked);
  held_bytes_ += bytes_of(row.asked);
  const Ticket ticket = client_.submit(request->type, request->options_with_key(), work->bytes);
  places_[ticket.value] = printed_ + rows_.size() - 1;
}

// Input is read only while what comes of it has somewhere to go.
void Batch::watch_input() {
  const bool wanted = !lines_.has_ended() && !failure_ && has_room();
  if (wanted == watching_) return;
  watching_ = wanted;
  if (!wanted) return client_.unwatch(descriptor_);
  client_.watch(descriptor_, [this] {
    if (!lines_.fill()) {
      failure_ =
          Fault{FaultKind::BadData, "cannot read the batch: " + std::generic_category().message(errno)};
    }
  });
}

void Batch::result(Ticket ticket, const TaskInfo& info) {
  const Row* const row = find_row(ticket);
  if (row == nullptr) return;
  const TaskRecord task = make_task_record(info, row->asked);
  const Output& output = context_.output();
  std::string text;
  if (output.is_json()) {
    text = to_json(task);
  } else if (output.format() == Format::Table) {
    text = summary(output, task);
  } else {
    for (const std::string& cid : task.cids) text += (text.empty() ? "" : " ") + cid;
    if (text.empty()) text = "-";
  }
  const bool completed = task.state == TaskState::Completed;
  answer(ticket, std::move(text), completed ? "" : failure_of(task),
         completed ? 0 : exit_code(FaultKind::Failed));
}

void Batch::refuse(Ticket ticket, const Fault& why) {
  answer(ticket, refusal_text(why), why.message, exit_code(why.kind));
}

std::string Batch::refusal_text(const Fault& why) const {
  if (!context_.output().is_json()) return "-";
  JsonWriter json;
  json.open_object().name("id").null().name("error").string(why.message);
  return json.name("code").number(static_cast<std::uint64_t>(exit_code(why.kind))).close_object().text();
}

Row* Batch::find_row(Ticket ticket) {
  const auto place = places_.find(ticket.value);
  return place == places_.end() ? nullptr : &rows_[place->second - printed_];
}

void Batch::answer(Ticket ticket, std::string text, std::string complaint, int code) {
  Row* const row = find_row(ticket);
  if (row == nullptr) return;
  settle(*row, std::move(text), std::move(complaint), code);
  places_.erase(ticket.value);
}

void Batch::settle(Row& row, std::string text, std::string complaint, int code) {
  row.answered = true;
  row.answer = std::move(text);
  row.complaint = std::move(complaint);
  row.code = code;
  held_bytes_ += row.answer.size() + row.complaint.size();
}

void Batch::print_answered() {
  bool any = false;
  for (; !rows_.empty() && rows_.front().answered; rows_.pop_front(), ++printed_, any = true) {
    const Row& row = rows_.front();
    if (context_.output().is_json())
      context_.output().item(row.answer);
    else
      context_.output().line(row.answer);
    if (row.code != 0) context_.complain("line " + std::to_string(row.line) + ": " + row.complaint);
    if (code_ == 0) code_ = row.code;
    held_bytes_ -= row.answer.size() + row.complaint.size() + bytes_of(row.asked);
  }
  if (!any) return;
  const Status written = context_.output().flush();
  if (!written && !failure_) failure_ = written.error();
}

Result<int> Batch::run() {
  if (context_.environment().interrupt != nullptr)
    client_.watch(context_.environment().interrupt->descriptor(), [] {});
  context_.output().open_list();
  const Status ran = client_.run(context_.patience(), [this] {
    if (client_.has_contact()) take_lines();  // before there is one, only 5 s are waited for it
    print_answered();
    watch_input();
    return is_over() || failure_ || context_.interrupted() != 0;
  });
  if (watching_) client_.unwatch(descriptor_);
  context_.output().close_list();
  client_.close();
  if (context_.interrupted() != 0) return context_.interrupted();
  if (!ran) {
    return fault(ran.error().kind, ran.error().message + " (" + std::to_string(printed_) +
                                       " lines were answered, " + std::to_string(rows_.size()) +
                                       " were not)");
  }
  if (failure_) return tl::unexpected(*failure_);
  return code_;
}

}  // namespace

Result<int> submit_batch(Context& context, const std::string& file, bool wait) {
  FileDescriptor opened;
  if (file != "-") {
    opened = FileDescriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open()) {
      return fault(errno == EACCES ? FaultKind::NotAllowed : FaultKind::BadData,
                   "cannot read " + in_quotes(file) + ": " + std::generic_category().message(errno) +
                       "; check the path");
    }
  }
  return Batch(context, opened.is_open() ? opened.number() : context.environment().input, wait).run();
}

std::string accepted_json(TaskId task, bool duplicate) {
  JsonWriter json;
  json.open_object().name("id").string(to_text(task)).name("duplicate").boolean(duplicate).close_object();
  return json.text();
}

}  // namespace cidbus
