// E3, E4: nobody is passed over. A broker says AYE to one that it outranks only while it is unfit, or when in
// this vacancy it had its own turn, or held back for a third, or the other had held back for a better one as
// long as that is given (T_hold) and insists.
//
// So whoever is elected outranks every voter that was fit and had no turn yet. It is a truth about single
// words: who may say what is known from what was said before, whatever was lost, late or repeated.
#pragma once

#include <array>
#include <optional>

#include "broker/consensus/timers.h"
#include "shared/base/limits/group.h"
#include "shared/core/group_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class BullyOrder {
 public:
  // A new life, a leader is heard, or the office is its own: the vacancy is over for this broker.
  void on_vacancy_over(group::Seat who) { vacancies_[place(who)] = {}; }
  // It sends VOTE_REQ, by ELECTION before, or because it is handed the office.
  void on_stands(group::Seat who) { vacancies_[place(who)].had_a_turn = true; }
  // It sends ELECTION.
  void on_asks(Monotonic now, const group::Timers& timers, group::Seat who,
               const group::ElectionMessage& asks) {
    Vacancy& vacancy = vacancies_[place(who)];
    vacancy.had_a_turn = true;
    if (!asks.insist) return;
    check(vacancy.held_since.has_value(), "E4 nobody is passed over", "broker ", place(who),
          " insists and held back for nobody");
    // Its clock may run fast.
    check(now - *vacancy.held_since >= timers.hold * 9 / 10, "E4 nobody is passed over", "broker ",
          place(who), " insists after ", (now - *vacancy.held_since) / std::chrono::milliseconds(1), " ms");
  }
  void on_ok(Monotonic now, group::Seat who) { hold(now, who); }
  // `asked` came to `who`; what it says next answers it.
  void on_asked(group::Seat who, const group::ElectionMessage& asked) { asked_[place(who)] = asked; }
  void on_aye(Monotonic now, group::Seat who, group::Seat to, const group::Aye& aye) {
    const group::ElectionMessage& asked = asked_[place(who)];
    if (asked.rank > aye.rank) return hold(now, who);
    const Vacancy& vacancy = vacancies_[place(who)];
    check(aye.rank.priority < 0 || vacancy.had_a_turn || vacancy.held_since || asked.insist,
          "E3 nobody is passed over", "broker ", place(who), " outranks ", place(to), " and gave way to it");
  }

 private:
  struct Vacancy {
    bool had_a_turn = false;  // it asked or stood for the office itself
    std::optional<Monotonic> held_since;
  };
  void hold(Monotonic now, group::Seat who) {
    auto& since = vacancies_[place(who)].held_since;
    if (!since) since = now;
  }

  std::array<Vacancy, limits::brokers> vacancies_{};
  std::array<group::ElectionMessage, limits::brokers> asked_{};
};

}  // namespace cidbus::sim
