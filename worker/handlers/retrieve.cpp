#include "worker/handlers/retrieve.h"

#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

class Retrieve final : public Handler {
 public:
  std::string_view type() const override { return "retrieve"; }
  std::string_view summary() const override {
    return "brings everything below a CID to the store of the node that runs it";
  }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return 1; }
  bool deterministic() const override { return false; }  // what it is for is not its answer

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    Parameters parameters("retrieve", input.parameters);
    if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
    const auto root = only_input("retrieve", input);
    if (!root) return tl::unexpected(root.error());
    const auto size = content.keep(*root, [&] { return input.cancelled.cancelled(); });
    if (!size) return fault(size.error().kind, "retrieve: " + size.error().message);
    return HandlerOutput{
        .cids = {*root},
        .values = {{"blocks", std::to_string(size->blocks)}, {"bytes", std::to_string(size->bytes)}}};
  }
};

}  // namespace

std::unique_ptr<Handler> make_retrieve() { return std::make_unique<Retrieve>(); }

}  // namespace cidbus
