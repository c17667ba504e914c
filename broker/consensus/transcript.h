// Plays a written scene against the group's core of one broker, and writes down everything that comes of it.
//
// A scene is lines. What begins in the first column is an event; the indented lines below it are its effects,
// in order. play() reads only the events and gives back the whole scene as it went, so that a test compares
// the text with itself. Positions are epoch/index, a batch is epoch/first-last.
//
//   wait MS                                 time passes, with a tick whenever one is due
//   b1 ELECTION ROUND EPOCH/INDEX PRIORITY [insist]
//   b1 OK|AYE|NAY ROUND EPOCH/INDEX PRIORITY     of NAY: the leader is alive, unless `stale` follows
//   b1 VOTE_REQ e5 EPOCH/INDEX [token N]    b1 VOTE e5 granted|refused
//   b1 BEAT e5 COMMIT EPOCH/INDEX [state INDEX/DIGEST [counts]]
//   b1 BEAT_ACK e5 DURABLE [round N] [state INDEX/DIGEST] [wants]
//   state INDEX/DIGEST                      the own state after that record
//   b1 APPEND e5 PREV COMMIT [BATCH]...     b1 APPEND_ACK e5 MATCH DURABLE | b1 APPEND_ACK e5 reject PREV
//   HINT b1 FETCH e5 POSITION                    b1 FETCH_DATA e5 PREV LAST [BATCH]... b1 gone | b1 back its
//   connections propose N                               a batch of N records of the own office disk vote |
//   disk batches | disk cut     what was handed over last is done full | room                             of
//   the disk read                                    a read is asked for
//   b1 WANTS e5 BATCH...                    a FETCH of these as holes
//   b1 HOLES e5 [BATCH]... | b1 HOLES e5 freed|damaged   the answer to the last FETCH of holes
//   b1 GOAL e5 INDEX [stale]                b1 REPAIR_REQ e5
//   disk hole | disk repaired
//   apply [BATCH]...                        what is committed is applied; these are read from the disk first
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "broker/consensus/group.h"

namespace cidbus::group {

class Transcript {
 public:
  // This broker of b1/3, b2/2, b3/1 (name/priority), with a journal of these batches on disk; one with a '!'
  // is damaged. `repairing`: the journal was lost; `is_new`: because the folder is new.
  Transcript(const std::string& self, Epoch epoch, const std::vector<std::string>& journal,
             std::size_t brokers = 3, Durability durability = Durability::Quorum, bool repairing = false,
             bool is_new = false);

  std::string play(std::string_view scene);
  std::string event(const std::string& line);

  std::optional<Group> group;
  Monotonic now{std::chrono::seconds(100)};

 private:
  void step(Input input);
  void wait(long milliseconds);
  void disk(const std::string& what);
  void propose(std::size_t records);
  void apply(std::istringstream& words);
  void message(Seat from, const std::string& name, std::istringstream& words);
  void say();
  [[nodiscard]] std::string text_of(const Effect& effect);
  [[nodiscard]] std::string text_of(const GroupMessage& message) const;
  [[nodiscard]] SharedBatch batch_of(const std::string& text);
  [[nodiscard]] std::string name_of(Seat seat) const;

  Effects effects_;
  std::string said_;
  std::vector<SharedBatch> made_;  // every batch of the scene: the newest that fits gives the checksum before
  std::optional<WriteVote> vote_;
  std::optional<ChainEnd> written_;
  std::optional<ChainEnd> refilled_;
  std::uint64_t fetch_round_ = 0;
  std::uint64_t nonce_ = 0;
  std::uint64_t candidacy_ = 0;
  std::int64_t beat_sent_ = 0;
  LogIndex asked_;  // `prev` of the last APPEND: what an APPEND_ACK answers
};

}  // namespace cidbus::group
