// The web page of an observer: its files, what browsers are told, and what it asks the leader for them.
//
// Nothing is made and nobody is asked while no browser looks; what the logs are made of is kept, so that the
// first one sees what came before it. Nothing can be changed through the page.
//
// Thread rule: the reactor's thread. Limits: limits/web_page.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "observer/core/board.h"
#include "observer/core/run_tracker.h"
#include "observer/history_reader.h"
#include "observer/page_streams.h"
#include "observer/web/page_answers.h"
#include "observer/web/page_rows.h"
#include "shared/core/message.h"
#include "shared/io/node_pages.h"

namespace cidbus {

class WebPage {
 public:
  // What it looks at when somebody looks at it.
  struct Sources {
    std::string observer;  // its name
    std::string folder;    // of the history; empty: there is none on disk
    std::function<Board(WallTime)> board;
    const ClusterView& view;
    const History& history;
    std::function<const AlertMarks&()> marks;
    std::function<bool(const Message&)> ask;  // the leader; false when none is there
  };
  // Adds its pages. REQUIRES: pages, reactor and what the sources look at outlive it.
  WebPage(NodePages& pages, Reactor& reactor, Sources sources, const std::vector<AlertRule>& rules,
          WallTime now);
  ~WebPage();
  WebPage(const WebPage&) = delete;
  WebPage& operator=(const WebPage&) = delete;

  void on_event(WallTime now, std::string_view publisher, const FeedEvent& event);
  void on_loss() { runs_.on_loss(); }  // of messages of the feed
  void on_bound() { agreed_wanted_ = true; }
  void on_message(const Message& message);  // of the leader
  void on_notices(const std::vector<AlertNotice>& notices);
  // Once a second.
  void on_tick(Now now);
  // Before the HTTP server is stopped.
  void close();

 private:
  void add_files(NodePages& pages);
  void add_history(NodePages& pages);
  void refresh(WallTime now);
  void ask(Monotonic now);

  Sources sources_;
  const WallTime started_;
  PageLedger ledger_;
  PageStreams streams_;
  RunTracker runs_;
  PageAnswers answers_;
  std::unique_ptr<HistoryReader> reader_;  // none without a folder
  WallTime refreshed_;
  RequestId request_;  // of the last question
  bool agreed_wanted_ = true;
  Monotonic next_names_;
  Monotonic next_votes_;
};

}  // namespace cidbus
