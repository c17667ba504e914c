// What content is called: names, each of one CID, with tags. Part of the replicated state.
//
// A name is what a person remembers and what a pin may follow; giving it to other content replaces what it
// named. The order is that of the names, so every broker gives the same answers.
//
//   name row of a snapshot := kind 5: at:i64 <payload of a NAME record>        snapshot.h
//
// Invariants: 1. a name has a CID; taking it off removes it. 2. bytes() is the sum over all names, and so is
// digest().
//
// Thread rule: with the state machine. Limits: limits::content_names and content_names_bytes, held by who
// proposes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/tasks/digest.h"
#include "broker/tasks/records.h"
#include "shared/core/content_messages.h"

namespace cidbus {

class Catalogue {
 public:
  // Without a CID the name is taken off.
  void set(const NameRecord& record, WallTime at);
  // Whether the name may be given: what the catalogue would hold afterwards is within its bounds, with
  // `coming` bytes of other names on their way.
  [[nodiscard]] bool has_room(const NameRecord& record, std::uint64_t coming) const;

  struct Page {
    std::vector<ContentName> entries;  // views live until the next change
    std::string_view next;             // the name to go on after; empty at the end
  };
  // Names that match, in order, after `after`; looks at limits::names_looked_at of them, gives `limit`
  // or limits::names_answer_bytes.
  [[nodiscard]] Page find(const FindContent& question) const;
  // Nothing when there is no such name.
  [[nodiscard]] std::optional<ContentName> find(std::string_view name) const;

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] Digest walked_digest() const;
  // Each name's row, without its head, in order.
  void for_each_row(const std::function<void(WallTime at, const NameRecord& record)>& visit) const;

 private:
  struct Named {
    Bytes cid;
    std::vector<std::pair<std::string, std::string>> tags;
    WallTime at;
  };
  using Names = std::map<std::string, Named, std::less<>>;
  static ContentName to_content_name(const Names::value_type& entry);
  static std::uint64_t cost_of(std::string_view name, const Named& named);
  static Digest digest_of(const Names::value_type& entry);

  Names names_;
  std::uint64_t bytes_ = 0;
  Digest digest_;
};

// About what a name takes of the catalogue.
std::uint64_t cost_of(const NameRecord& record);

}  // namespace cidbus
