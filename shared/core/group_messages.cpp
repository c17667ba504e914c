#include "shared/core/group_messages.h"

#include <type_traits>

namespace cidbus::group {
namespace {

template <typename Message, typename... Others>
constexpr bool is_one_of = (std::is_same_v<Message, Others> || ...);

template <typename Message>
constexpr bool is_bulk =
    is_one_of<Message, Append, AppendAck, Fetch, FetchData, SnapBegin, SnapChunk, SnapAck>;

}  // namespace

std::string_view name_of(const GroupMessage& message) {
  static constexpr std::array<std::string_view, std::variant_size_v<GroupMessage>> names = {
      "ELECTION", "OK",       "AYE",        "NAY",    "VOTE_REQ",   "VOTE",        "BEAT",
      "BEAT_ACK", "APPEND",   "APPEND_ACK", "FETCH",  "FETCH_DATA", "SNAP_BEGIN",  "SNAP_CHUNK",
      "SNAP_ACK", "HANDOVER", "REFUSE",     "RESIGN", "REPAIR_REQ", "REPAIR_GOAL", "PROPOSAL_VOTE"};
  return names[message.index()];
}

Channel channel_of(const GroupMessage& message) {
  return std::visit(
      [](const auto& value) {
        return is_bulk<std::decay_t<decltype(value)>> ? Channel::Bulk : Channel::Control;
      },
      message);
}

}  // namespace cidbus::group
