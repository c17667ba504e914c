// The observer role: attaches to the brokers at any time, prints or shows what happens, and keeps the history
// of what it measures.
//
// It subscribes to the feed of every broker that it was given, and to those of the others of the group while
// none of them is there; each passes on what the leader says. It says hello on the bus as a member. A
// snapshot is asked for at the start, after every gap in a broker's numbering and after every reconnect;
// until it arrives, state events are held back only by being contained in it: an event whose journal index
// the snapshot covers is not shown again.
//
// Invariant: what a person reads never goes backwards: an event older than the last snapshot is not printed.
//
// Once a second it asks every broker how it is and takes a sample of each number it knows; the history lies
// on disk when it has a folder.
//
// Thread rule: RoleThread. Limits: limits/observer.h; 1,000 messages of the feed are queued; what a slow
// reader misses is shown as a gap.
#pragma once

#include <memory>
#include <string>

#include "observer/printer.h"
#include "observer/rules_file.h"
#include "shared/base/bytes.h"
#include "shared/base/limits/observer.h"
#include "shared/io/bus_link.h"
#include "shared/io/role_thread.h"

namespace cidbus {

struct ObserverOptions {
  NodeIdentity identity;
  std::vector<std::string> brokers;
  std::string data;  // folder of the history; empty: it is kept in memory only
  ByteCount history_bytes = limits::history_file_bytes;
  AlertSetup alerts;
  PrintStyle style = PrintStyle::Text;
  // Once standard output takes nothing any longer; otherwise it goes on and prints nothing more.
  bool ends_with_output = false;
  bool screen = false;    // the terminal view, in the place of lines
  std::string page = {};  // HOST:PORT of the web page, /metrics and the like; empty: nowhere
};

class Observer : public RoleThread {
 public:
  Observer(SocketContext& context, ObserverOptions options, Log& log);
  ~Observer() override;
  // BadUsage when an address makes no sense.
  Status open();

 private:
  void on_stop(Now now) override;
  void leave(Status status);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
