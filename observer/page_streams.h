// The browsers that follow the page: server-sent events (HTML standard, section 9.2) of what the ledger has.
//
// A browser is told what is new to it as soon as it has taken what it was told before. So one that is slow
// hears less often and more at a time, and holds up nobody: for each there is a version, and one piece on its
// way, which is shared by all that have seen the same.
//
// Thread rule: the reactor's thread; inside, the HTTP server's asks. Limits: limits::page_browsers.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "observer/web/page_ledger.h"
#include "shared/io/http_server.h"
#include "shared/io/mailbox.h"
#include "shared/io/reactor.h"

namespace cidbus {

class PageStreams {
 public:
  // REQUIRES: reactor and ledger outlive it.
  PageStreams(Reactor& reactor, const PageLedger& ledger);
  // REQUIRES: close() was called before the HTTP server was stopped.
  ~PageStreams();
  PageStreams(const PageStreams&) = delete;
  PageStreams& operator=(const PageStreams&) = delete;

  // For one more browser; 503 when there are too many.
  HttpResponse open();
  [[nodiscard]] std::size_t count() const;
  // The ledger has something new.
  void tell();
  // Ends all streams, and those that are opened from now on.
  void close();

 private:
  class Body;
  struct Shared;
  struct Browser {
    std::uint64_t seen = 0;  // of the reactor's thread alone
  };
  struct Question {
    std::shared_ptr<Browser> browser;       // shared: the connection may end before it is answered
    std::shared_ptr<HttpPieceReply> reply;  // shared, since a mailbox's values are copied into vectors
  };
  void take_questions();
  void answer(const Question& question);

  Reactor& reactor_;
  const PageLedger& ledger_;
  std::shared_ptr<Shared> shared_;  // with the bodies, which end on the server's thread
  std::vector<Question> waiting_;
  std::map<std::uint64_t, HttpPiece> pieces_;  // of this version, by what was seen
};

}  // namespace cidbus
