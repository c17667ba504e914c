#include "shared/io/broker_silence.h"

#include "shared/base/limits/links.h"

namespace cidbus {

BrokerSilence::Word BrokerSilence::step(Now now, bool answered) {
  if (answered) {
    const bool was_told = silent_ && told_;
    silent_ = told_ = false;
    return was_told ? Word::Over : Word::None;
  }
  if (!silent_) {
    silent_ = true;
    since_ = now;
    tell_at_ = now.monotonic + limits::silence_told_after;
  }
  if (now.monotonic < tell_at_) return Word::None;
  tell_at_ = now.monotonic + limits::silence_told_every;
  told_ = true;
  return Word::Silent;
}

std::optional<Monotonic> BrokerSilence::deadline() const {
  return silent_ ? std::optional(tell_at_) : std::nullopt;
}

void BrokerSilence::watch(Reactor& reactor, const BusLink& link, Log& log) {
  reactor.at_turn_end([this, &link, &log](Now now) {
    const bool answered = link.bound() || link.leaderless() || refused_;
    refused_ = false;
    tell(step(now, answered), link, log);
    return deadline();
  });
}

void BrokerSilence::tell(Word word, const BusLink& link, Log& log) const {
  if (word == Word::None) return;
  std::string addresses;
  for (const std::string& broker : link.brokers()) addresses += (addresses.empty() ? "" : ", ") + broker;
  const std::string when = to_rfc3339(since());
  if (word == Word::Silent) {
    log.warning("no broker answers at " + addresses + " since " + when + "; trying on");
  } else {
    log.warning("a broker answers again, which none did since " + when);
  }
}

}  // namespace cidbus
