#include "worker/handlers/echo.h"

#include <array>

#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

constexpr std::array<ParameterHelp, 2> echo_help{{
    {"delay_ms", "waits so many milliseconds first, 0 to 600000", "0"},
    {"fail", "fails with this text, without a retry", "none"},
}};

class Echo final : public Handler {
 public:
  std::string_view type() const override { return "echo"; }
  std::string_view summary() const override {
    return "answers its parameters, whatever they are, as values; reads and writes nothing";
  }
  std::span<const ParameterHelp> help() const override { return echo_help; }
  int version() const override { return 1; }
  bool deterministic() const override { return false; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& /*content*/) const override {
    NamedTexts special;
    std::size_t bytes = 0;
    for (const auto& [name, value] : input.parameters) {
      if (name == "delay_ms" || name == "fail") special.emplace_back(name, value);
      bytes += name.size() + value.size();
    }
    if (bytes > limits::result_bytes) {
      return fault(FaultKind::BadUsage, "echo: " + std::to_string(bytes) +
                                            " bytes of parameters; a result holds " +
                                            std::to_string(limits::result_bytes));
    }
    Parameters parameters("echo", special);
    const auto delay = parameters.whole("delay_ms", 0, 600'000);
    const auto failure = parameters.text("fail");
    if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
    if (input.cancelled.wait_for(std::chrono::milliseconds(delay.value_or(0))))
      return cancelled_fault("echo");
    if (failure) return fault(FaultKind::Failed, std::string(*failure));
    return HandlerOutput{.cids = {}, .values = input.parameters};
  }
};

}  // namespace

std::unique_ptr<Handler> make_echo() { return std::make_unique<Echo>(); }

}  // namespace cidbus
