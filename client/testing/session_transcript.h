// For tests: what a session core does, as lines one can read and compare.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <sstream>
#include <string>

#include "client/session_core.h"

namespace cidbus {

inline SessionId session_of(std::uint8_t number) {
  SessionId session;
  session.bytes[15] = number;
  return session;
}

// Writes down everything the core does, one line each, and hands out sessions 2, 3, …
class Transcript : public SessionOutput {
 public:
  void send(const Message& message) override {
    std::visit([this](const auto& body) { say(body); }, message);
  }
  void accepted(Ticket ticket, TaskId task, bool duplicate) override {
    line() << "accepted " << ticket.value << " as " << to_text(task) << (duplicate ? " again" : "");
  }
  void rejected(Ticket ticket, Refusal why, std::string_view reason,
                std::chrono::milliseconds retry_after) override {
    line() << "rejected " << ticket.value << ' ' << to_text(why) << ": " << reason << " +"
           << retry_after.count();
  }
  void result(Ticket ticket, const TaskInfo& info) override {
    line() << "result " << ticket.value << ' ' << to_text(info.state) << ' ' << as_text(info.result);
  }
  void unknown(Ticket ticket, TaskId task) override {
    line() << "unknown " << ticket.value << (task == TaskId{} ? "" : " " + to_text(task));
  }
  SessionId new_session() override { return session_of(++sessions_); }

  void expect(std::string_view expected) {
    ASSERT_FALSE(lines_.empty()) << "nothing happened instead of: " << expected;
    EXPECT_EQ(lines_.front().str(), expected);
    lines_.pop_front();
  }
  void expect_nothing_else() {
    for (const auto& left : lines_) ADD_FAILURE() << left.str();
    lines_.clear();
  }

 private:
  std::ostream& line() { return lines_.emplace_back(); }
  static int short_name(const SessionId& session) { return session.bytes[15]; }
  void say(const Submit& submit) {
    std::ostream& out = line();
    out << "-> submit s" << short_name(submit.session) << " low " << submit.low_water;
    for (const auto& item : submit.items) {
      out << ' ' << item.seq << ':' << item.type << '/' << as_text(item.work);
      if (!item.options.key.empty()) out << '#' << item.options.key;
    }
  }
  void say(const SessionResume& resume) {
    line() << "-> resume s" << short_name(resume.session) << " from " << resume.cursor;
  }
  void say(const ResultAck& ack) { line() << "-> ack s" << short_name(ack.session) << ' ' << ack.cursor; }
  void say(const SessionClose& close) { line() << "-> close s" << short_name(close.session); }
  void say(const TaskQuery& query) {
    std::ostream& out = line();
    out << "-> wait for";
    for (const auto task : query.tasks) out << ' ' << to_text(task);
  }
  template <typename Body>
  void say(const Body&) {
    line() << "-> something else";
  }

  std::deque<std::ostringstream> lines_;
  std::uint8_t sessions_ = 1;
};

}  // namespace cidbus
