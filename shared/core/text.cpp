#include <array>

#include "shared/core/key_holder.h"
#include "shared/core/message.h"

namespace cidbus {
namespace {

constexpr std::array<std::string_view, task_state_count> task_state_names{
    "pending", "assigned", "processing", "completed", "failed", "cancelled", "timeout"};
constexpr std::array<std::string_view, 6> role_names{"master",  "worker",   "leecher",
                                                     "gateway", "observer", "client"};
constexpr std::array<std::string_view, 5> member_state_names{"joining", "alive", "suspect", "left", "dead"};
constexpr std::array<std::string_view, 6> outcome_names{"completed", "failed",    "retry",
                                                        "timed out", "cancelled", "handed back"};
constexpr std::array<std::string_view, 9> refusal_names{"wrong version",   "wrong cluster", "name taken",
                                                        "bad message",     "not allowed",   "not the leader",
                                                        "session expired", "exhausted",     "not known"};
constexpr std::array<std::string_view, 3> durability_names{"memory", "disk", "quorum"};
constexpr std::array<std::string_view, feed_topic_count> topic_names{
    "heartbeats", "leader", "members", "tasks", "counters", "elections", "config", "metrics"};
constexpr std::array<std::string_view, feed_topic_count> topic_frames{
    "heartbeats.", "leader.", "members.", "tasks.", "counters.", "elections.", "config.", "metrics."};
constexpr std::array<std::string_view, 10> election_words{
    "ELECTION", "OK", "AYE", "NAY", "VOTE_REQ", "VOTE", "NO_VOTE", "COORDINATOR", "HANDOVER", "RESIGN"};
constexpr std::array<std::string_view, proposal_kinds> proposal_kind_names{
    "config_change", "membership_change", "role_change"};
constexpr std::array<std::string_view, 4> proposal_status_names{"pending", "accepted", "rejected", "expired"};
constexpr std::array<std::string_view, 3> duty_names{"standby", "electing", "leader"};
constexpr std::array<std::string_view, 4> trust_names{"good", "doubted", "quarantined", "differs"};
constexpr std::array<std::string_view, std::variant_size_v<Message>> message_names{"hello",
                                                                                   "welcome",
                                                                                   "redirect",
                                                                                   "refused",
                                                                                   "goodbye",
                                                                                   "ping",
                                                                                   "pong",
                                                                                   "submit",
                                                                                   "accepted",
                                                                                   "rejected",
                                                                                   "sessionResume",
                                                                                   "sessionClose",
                                                                                   "results",
                                                                                   "resultAck",
                                                                                   "credit",
                                                                                   "dispatch",
                                                                                   "renew",
                                                                                   "renewed",
                                                                                   "progress",
                                                                                   "complete",
                                                                                   "completeAck",
                                                                                   "revoke",
                                                                                   "taskQuery",
                                                                                   "taskList",
                                                                                   "taskInfos",
                                                                                   "cancel",
                                                                                   "cancelAnswers",
                                                                                   "snapshotRequest",
                                                                                   "snapshot",
                                                                                   "announce",
                                                                                   "find",
                                                                                   "providers",
                                                                                   "place",
                                                                                   "placement",
                                                                                   "wantBlocks",
                                                                                   "blockReply",
                                                                                   "storeBlock",
                                                                                   "storeReply",
                                                                                   "feed",
                                                                                   "nameContent",
                                                                                   "findContent",
                                                                                   "contentNames",
                                                                                   "brokerStatusRequest",
                                                                                   "brokerStatus",
                                                                                   "handoverRequest",
                                                                                   "handoverAnswer",
                                                                                   "configRequest",
                                                                                   "configuration",
                                                                                   "propose",
                                                                                   "castVote",
                                                                                   "proposalsRequest",
                                                                                   "proposals",
                                                                                   "memberHistoryRequest",
                                                                                   "memberHistory",
                                                                                   "moves",
                                                                                   "roleReport",
                                                                                   "roleQuery",
                                                                                   "roleReports",
                                                                                   "roleChange",
                                                                                   "roleChangeAnswer"};

template <typename Enum, std::size_t Count>
std::optional<Enum> find_name(const std::array<std::string_view, Count>& names, std::string_view text) {
  for (std::size_t place = 0; place < Count; ++place)
    if (names[place] == text) return static_cast<Enum>(place);
  return std::nullopt;
}

}  // namespace

std::string_view to_text(TaskState state) { return task_state_names.at(static_cast<std::size_t>(state)); }
std::optional<TaskState> parse_task_state(std::string_view text) {
  return find_name<TaskState>(task_state_names, text);
}
std::string_view to_text(Outcome outcome) { return outcome_names.at(static_cast<std::size_t>(outcome)); }
std::string_view to_text(Role role) { return role_names.at(static_cast<std::size_t>(role)); }
std::string to_text(RoleSet roles) {
  std::string text;
  for (std::size_t role = 0; role < role_names.size(); ++role) {
    if (roles.has(static_cast<Role>(role)))
      text += (text.empty() ? "" : ", ") + std::string(role_names[role]);
  }
  return text;
}
std::optional<Role> parse_role(std::string_view text) { return find_name<Role>(role_names, text); }
std::string_view to_text(MemberState state) { return member_state_names.at(static_cast<std::size_t>(state)); }
std::string_view to_text(Refusal refusal) { return refusal_names.at(static_cast<std::size_t>(refusal)); }
std::string_view to_text(Durability durability) {
  return durability_names.at(static_cast<std::size_t>(durability));
}
std::string_view feed_frame(FeedTopic topic) { return topic_frames.at(static_cast<std::size_t>(topic)); }
std::string_view to_text(FeedTopic topic) { return topic_names.at(static_cast<std::size_t>(topic)); }
std::string_view to_text(ElectionWord word) { return election_words.at(static_cast<std::size_t>(word)); }
std::string_view to_text(Duty duty) { return duty_names.at(static_cast<std::size_t>(duty)); }
std::string_view to_text(StateTrust trust) { return trust_names.at(static_cast<std::size_t>(trust)); }
std::string_view to_text(ProposalKind kind) { return proposal_kind_names.at(static_cast<std::size_t>(kind)); }
std::string_view to_text(ProposalStatus status) {
  return proposal_status_names.at(static_cast<std::size_t>(status));
}
std::string_view name_of(const Message& message) { return message_names.at(message.index()); }

}  // namespace cidbus
