#include "broker/voice.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr auto retry_when_full = std::chrono::milliseconds(1000);

}  // namespace

void Voice::refuse(ByteView routing_id, Refusal why, std::string_view reason) {
  metrics_.refused.at(static_cast<std::size_t>(why))->add();
  log_.debug("refused " + std::string(to_text(why)) + ": " + std::string(reason));
  send(as_text(routing_id), Refused{why, reason, why == Refusal::Exhausted ? retry_when_full : 0ms});
}

}  // namespace cidbus
