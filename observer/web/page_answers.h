// What the leader answered the page's questions: configuration, proposals with their votes, names of content.
//
// Answers are kept as rows as they come, since their views end with the message.
//
// Thread rule: pure; one owner. Limits: limits::page_proposals, limits::page_names.
#pragma once

#include <map>
#include <string>

#include "observer/web/page_ledger.h"
#include "shared/core/message.h"

namespace cidbus {

class PageAnswers {
 public:
  void take(const Configuration& configuration);
  // The newest, in the order told.
  void take(const Proposals& proposals);
  void take(const ContentNames& names);

  // Tables config, forbidden, proposals, names; what was not answered yet is not there.
  void put(PageLedger& ledger) const;
  // A decision is awaited, so that votes may come in at any moment.
  [[nodiscard]] bool has_open() const { return open_; }

 private:
  using Rows = std::map<std::string, std::string>;
  std::map<std::string, Rows> tables_;
  bool open_ = false;
};

}  // namespace cidbus
