#include "observer/core/alert_desk.h"

namespace cidbus {

AlertDesk::Said AlertDesk::on_tick(WallTime now, std::string_view cluster, bool blind,
                                   const AlertMarks& marks) {
  Said said;
  said.all = engine_.on_tick(now, cluster, blind);
  for (const AlertNotice& notice : said.all) {
    if (notice.change == AlertChange::Resolved && told_.erase(notice.alert.id) != 0)
      said.told.push_back(notice);
  }
  // Raised or worse, just now or in a silence that is over.
  for (const Alert& alert : engine_.raised()) {
    const auto told = told_.find(alert.id);
    if (told != told_.end() && told->second >= alert.level) continue;
    if (marks.silence_of(alert, now) != nullptr || marks.acknowledgement_of(alert) != nullptr) continue;
    said.told.push_back({told == told_.end() ? AlertChange::Raised : AlertChange::Worsened, alert, now});
    told_[alert.id] = alert.level;
  }
  return said;
}

}  // namespace cidbus
