// Answers browsers' questions about history that reach beyond memory: reads the file in a thread of its own,
// so that the observer never waits for a disk.
//
// Thread rule: the owner's thread; answers are given by its own. Limits: limits::page_questions wait at once;
// further ones are told 503.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "observer/web/history_query.h"
#include "shared/io/http_server.h"
#include "shared/io/mailbox.h"

namespace cidbus {

class HistoryReader {
 public:
  explicit HistoryReader(std::string folder);
  // What waits is told 503. REQUIRES: the HTTP server still runs, or nothing was asked.
  ~HistoryReader();
  HistoryReader(const HistoryReader&) = delete;
  HistoryReader& operator=(const HistoryReader&) = delete;

  // `newest`: of the same question, what memory has.
  void ask(HistoryQuestion question, HistoryColumns newest, HttpReply reply);

 private:
  struct Job {
    HistoryQuestion question;
    HistoryColumns newest;
    std::shared_ptr<HttpReply> reply;  // shared, since a mailbox's values are copied; null: nothing follows
  };
  void run();

  const std::string folder_;
  Mailbox<Job> jobs_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> closed_{false};
  std::thread thread_;
};

// Of an answer to a browser that asked for history.
HttpResponse history_page(const HistoryQuestion& question, const HistoryColumns& columns);

}  // namespace cidbus
