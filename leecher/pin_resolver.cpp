#include "leecher/pin_resolver.h"

#include "shared/base/limits/leecher.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr Duration answer_time = std::chrono::seconds(5);
constexpr std::uint32_t page = 1000;

// A name is looked for as a pattern, so what would be a wildcard in it stands for itself only afterwards.
bool is_meant(const Pin& pin, const ContentName& entry) { return pin.name.empty() || pin.name == entry.name; }

}  // namespace

PinResolver::PinResolver(SocketContext& context, const NodeIdentity& leecher,
                         std::vector<std::string> brokers)
    : asker_(context, client_identity(leecher.cluster, leecher.name + ".pins"), std::move(brokers)) {}

Result<std::vector<Cid>> PinResolver::resolve(const Pin& pin) {
  std::vector<Cid> cids;
  std::string after;
  FindContent question;
  question.name = pin.name;
  if (!pin.tag_key.empty()) question.tags.emplace_back(pin.tag_key, pin.tag_value);
  question.limit = page;
  do {
    question.request = asker_.next_request();
    question.after = after;
    std::string next;
    const Status asked =
        asker_.ask(question, read_clock().monotonic + answer_time, [&](const Message& message) {
          const auto* names = std::get_if<ContentNames>(&message);
          if (names == nullptr || names->request != question.request) return false;
          for (const ContentName& entry : names->entries) {
            const auto cid = Cid::from_bytes(entry.cid);
            if (cid && is_meant(pin, entry)) cids.push_back(*cid);
          }
          next = names->next;
          return true;
        });
    if (!asked) return tl::unexpected(asked.error());
    after = next;
  } while (!after.empty() && cids.size() < limits::pins_a_leecher);
  if (cids.empty())
    return fault(FaultKind::NotFound,
                 pin.name.empty() ? "no content has that tag" : "no content is called so");
  return cids;
}

}  // namespace cidbus
