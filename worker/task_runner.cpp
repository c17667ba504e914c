#include "worker/task_runner.h"

#include "shared/base/limits/words.h"
#include "shared/core/attempt_history.h"
#include "shared/core/trace_context.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

// An input travels as a binary CID, or as the text the user gave: then it is the task's to fail with the
// reason.
Result<std::vector<Cid>> read_inputs(const Work& work) {
  std::vector<Cid> inputs;
  for (const ByteView input : work.inputs) {
    auto cid = Cid::from_bytes(input);
    if (!cid) cid = Cid::parse(as_text(input));
    if (!cid) return tl::unexpected(cid.error());
    inputs.push_back(*cid);
  }
  return inputs;
}

Bytes encode_output(const HandlerOutput& output) {
  std::vector<Bytes> cids;
  for (const Cid& cid : output.cids) cids.push_back(to_bytes(cid.bytes()));
  TaskResult result;
  for (const Bytes& cid : cids) result.cids.emplace_back(cid);
  for (const auto& [name, value] : output.values) result.values.emplace_back(name, value);
  return encode_result(result);
}

Outcome outcome_of(const Fault& fault) {
  const bool may_help = retry_helps(fault.kind) || fault.kind == FaultKind::NotFound;
  return may_help ? Outcome::Retry : Outcome::Failed;
}

}  // namespace

TaskRunner::TaskRunner(const Context& context)
    : handlers_(context.handlers),
      asker_(context.sockets, client_identity(context.identity.cluster, context.identity.name),
             context.brokers),
      index_(asker_),
      blocks_(context.sockets, index_, context.identity, blocks_options(context), &context.store,
              context.cache),
      content_(blocks_, context.store, context.pins) {}

NetworkBlocksOptions TaskRunner::blocks_options(const Context& context) const {
  NetworkBlocksOptions options;
  options.client.unknown_patience = context.unknown_patience;
  options.client.stopped = [this] { return cancelled_ != nullptr && cancelled_->cancelled(); };
  return options;
}

JobEnd TaskRunner::run(Job& job) {
  JobEnd end = run_to_end(job);
  end.log = encode_log({job.log.ended, job.log.output, job.log.errors});
  return end;
}

JobEnd TaskRunner::run_to_end(Job& job) {
  cancelled_ = &job.cancelled;
  auto result = run_handler(job);
  // Also what a failed run wrote is flushed: the next task's flush must speak of its own blocks only.
  const Status flushed = content_.flush();
  cancelled_ = nullptr;
  if (result && !flushed) result = tl::unexpected(flushed.error());
  if (result) return {Outcome::Completed, std::move(*result), {}};
  if (job.cancelled.cancelled()) return {Outcome::Cancelled, {}, std::move(result.error().message)};
  std::string error = result.error().message.substr(0, limits::text_length);
  return {outcome_of(result.error()), {}, std::move(error)};
}

Result<Bytes> TaskRunner::run_handler(Job& job) {
  const auto handler = handlers_.find(job.type);
  if (!handler) return tl::unexpected(handler.error());
  const auto work = decode_work(job.work);
  if (!work) return tl::unexpected(work.error());
  auto inputs = read_inputs(**work);
  if (!inputs) return tl::unexpected(inputs.error());
  NamedTexts parameters;
  for (const auto& [name, value] : (*work)->parameters) {
    if (!name.starts_with('_') || (*handler)->takes_notes()) parameters.emplace_back(name, value);
  }
  const auto trace = read_traceparent((*work)->traceparent);
  if (trace) job.trace = trace_id_of(*trace);
  const HandlerInput input{
      std::move(*inputs), std::move(parameters), trace ? traceparent_within(*trace, job.attempt) : "",
      job.cancelled,      job.progress,          job.log};
  const auto output = (*handler)->run(input, content_);
  if (!output) return tl::unexpected(output.error());
  Bytes result = encode_output(*output);
  if (result.size() > limits::result_bytes) {
    return fault(FaultKind::Failed,
                 "the result is over 64 KiB; a task type must store what is large as content");
  }
  return result;
}

}  // namespace cidbus
