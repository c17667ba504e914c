#include "worker/library/handler_adapter.h"

#include <algorithm>
#include <exception>
#include <new>

#include "client/library/public_streams.h"
#include "shared/base/limits/programs.h"

namespace cidbus::v1 {

struct TaskRun::State {
  const HandlerInput& input;
  Content& content;
  std::vector<Cid> inputs;
};

const std::vector<Cid>& TaskRun::inputs() const { return state_.inputs; }
const NamedTexts& TaskRun::parameters() const { return state_.input.parameters; }

const std::string& TaskRun::traceparent() const { return state_.input.traceparent; }

std::optional<std::string> TaskRun::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters()) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Result<Cid> TaskRun::only_input() const {
  if (state_.inputs.size() == 1) return state_.inputs.front();
  return Fault{FaultKind::BadUsage, "this task type takes exactly one input, not " +
                                        std::to_string(state_.inputs.size()) + "; submit one task a file"};
}

Result<std::string> TaskRun::read(const Cid& cid, std::uint64_t most) {
  const auto bytes = state_.content.read(to_internal(cid), most);
  if (!bytes) return to_public(bytes.error());
  return std::string(as_text(*bytes));
}

Status TaskRun::read(const Cid& cid, const std::function<Status(std::string_view bytes)>& sink) {
  return to_public(state_.content.stream(to_internal(cid),
                                         [&](ByteView bytes) { return to_internal(sink(as_text(bytes))); }));
}

Result<Cid> TaskRun::write(std::string_view bytes) {
  const auto cid = state_.content.write(as_bytes(bytes));
  if (!cid) return to_public(cid.error());
  return to_public(*cid);
}

Result<Cid> TaskRun::write(const Source& source) {
  FunctionSource bytes(source);
  const auto cid = state_.content.write_stream(bytes);
  if (!cid) return to_public(cid.error());
  return to_public(*cid);
}

bool TaskRun::cancelled() const { return state_.input.cancelled.cancelled(); }
bool TaskRun::sleep(std::chrono::milliseconds time) const { return state_.input.cancelled.wait_for(time); }

void TaskRun::set_progress(double done) {
  state_.input.progress.set_permille(static_cast<std::uint32_t>(std::clamp(done, 0.0, 1.0) * 1000));
}

void TaskRun::log(std::string_view line) {
  std::string& kept = state_.input.log.output;
  kept += line.substr(line.size() - std::min(line.size(), limits::log_tail_bytes));
  if (!line.ends_with('\n')) kept += '\n';
  if (kept.size() > 2 * limits::log_tail_bytes) kept.erase(0, kept.size() - limits::log_tail_bytes);
}

// A program's task type as the worker knows task types.
class HandlerAdapter final : public cidbus::Handler {
 public:
  HandlerAdapter(TaskType type, Worker::Function run) : type_(std::move(type)), run_(std::move(run)) {}

  std::string_view type() const override { return type_.name; }
  std::string_view summary() const override { return type_.summary; }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return type_.version; }
  bool deterministic() const override { return type_.deterministic; }
  bool strict() const override { return type_.strict; }
  bool takes_notes() const override { return true; }

  cidbus::Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    TaskRun::State state{input, content, {}};
    for (const cidbus::Cid& cid : input.inputs) state.inputs.push_back(to_public(cid));
    TaskRun run(state);
    const auto result = run_guarded(run);
    if (!result) return tl::unexpected(to_internal(result.error()));
    HandlerOutput output{{}, result->values};
    for (const Cid& cid : result->cids) output.cids.push_back(to_internal(cid));
    return output;
  }

 private:
  // Exceptions of the program end here: its next task does not suffer for this one.
  Result<TaskResult> run_guarded(TaskRun& run) const {
    try {
      return run_(run);
    } catch (const std::bad_alloc&) {
      return Fault{FaultKind::TryAgain, type_.name + ": out of memory"};
    } catch (const std::exception& exception) {
      return Fault{FaultKind::Failed, type_.name + ": " + exception.what()};
    } catch (...) {
      return Fault{FaultKind::Failed, type_.name + ": an exception that is no std::exception"};
    }
  }

  const TaskType type_;
  const Worker::Function run_;
};

std::unique_ptr<cidbus::Handler> adapt_handler(TaskType type, Worker::Function run) {
  return std::make_unique<HandlerAdapter>(std::move(type), std::move(run));
}

}  // namespace cidbus::v1
