#include "worker/handlers/pin.h"

#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

// The one input of a task without parameters.
Result<Cid> read_root(std::string_view type, const HandlerInput& input) {
  Parameters parameters{std::string(type), input.parameters};
  if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
  return only_input(type, input);
}

class Pin final : public Handler {
 public:
  std::string_view type() const override { return "pin"; }
  std::string_view summary() const override {
    return "brings everything below a CID to the node that runs it, and keeps it there";
  }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return 1; }
  bool deterministic() const override { return false; }  // what it is for is not its answer

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    const auto root = read_root(type(), input);
    if (!root) return tl::unexpected(root.error());
    const auto size = content.keep(*root, [&] { return input.cancelled.cancelled(); });
    if (!size) return fault(size.error().kind, "pin: " + size.error().message);
    if (const auto pinned = content.pin(*root); !pinned)
      return fault(pinned.error().kind, "pin: " + pinned.error().message);
    return HandlerOutput{
        .cids = {*root},
        .values = {{"blocks", std::to_string(size->blocks)}, {"bytes", std::to_string(size->bytes)}}};
  }
};

class Unpin final : public Handler {
 public:
  std::string_view type() const override { return "unpin"; }
  std::string_view summary() const override { return "takes a pin of the node that runs it away"; }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return 1; }
  bool deterministic() const override { return false; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    const auto root = read_root(type(), input);
    if (!root) return tl::unexpected(root.error());
    const auto was_pinned = content.unpin(*root);
    if (!was_pinned) return fault(was_pinned.error().kind, "unpin: " + was_pinned.error().message);
    if (!*was_pinned) {
      return fault(FaultKind::NotFound, "unpin: " + to_text(*root) + " is not pinned on this worker");
    }
    return HandlerOutput{.cids = {*root}, .values = {}};
  }
};

}  // namespace

std::unique_ptr<Handler> make_pin() { return std::make_unique<Pin>(); }
std::unique_ptr<Handler> make_unpin() { return std::make_unique<Unpin>(); }

}  // namespace cidbus
