#include "broker/frame_work.h"

namespace cidbus {
namespace {

// Without a case of its own a message is one thing to do.
struct Items {
  template <typename Other>
  std::size_t operator()(const Other&) const {
    return 1;
  }
  std::size_t operator()(const Hello& hello) const { return hello.running.size() + hello.task_types.size(); }
  std::size_t operator()(const Submit& submit) const { return 2 * submit.items.size(); }
  std::size_t operator()(const Complete& complete) const { return 2 * complete.items.size(); }
  std::size_t operator()(const Renew& renew) const { return renew.attempts.size(); }
  std::size_t operator()(const TaskQuery& query) const { return query.tasks.size(); }
  std::size_t operator()(const TaskList& list) const { return list.limit; }
  std::size_t operator()(const Cancel& cancel) const { return 2 * cancel.tasks.size(); }
  std::size_t operator()(const Announce& announce) const {
    return announce.added.size() + announce.removed.size();
  }
  std::size_t operator()(const Find& find) const { return find.blocks.size(); }
  std::size_t operator()(const Place&) const { return 256; }            // looks at every member
  std::size_t operator()(const FindContent&) const { return 512; }      // looks at names_looked_at
  std::size_t operator()(const Propose&) const { return 256; }          // names every member
  std::size_t operator()(const CastVote&) const { return 64; }          // of all that have not voted
  std::size_t operator()(const ProposalsRequest&) const { return 64; }  // sorts what is kept
  std::size_t operator()(const MemberHistoryRequest&) const { return 64; }
  std::size_t operator()(const RoleQuery&) const { return 256; }        // names every member
  std::size_t operator()(const SnapshotRequest&) const { return 256; }  // names every member
};

}  // namespace

std::size_t work_of(const Message& message) { return 1 + std::visit(Items{}, message); }

}  // namespace cidbus
