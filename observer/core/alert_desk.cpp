#include "observer/core/alert_desk.h"

namespace cidbus {

AlertDesk::Said AlertDesk::on_tick(WallTime now, std::string_view cluster, bool blind,
                                   const AlertMarks& marks) {
  Said said;
  said.all = engine_.on_tick(now, cluster, blind);
  for (const AlertNotice& notice : said.all) {
    const std::string& id = notice.alert.id;
    const bool quiet =
        marks.silence_of(notice.alert, now) != nullptr || marks.acknowledgement_of(notice.alert) != nullptr;
    if (notice.change == AlertChange::Resolved ? told_.erase(id) != 0 : !quiet && told_.contains(id))
      said.told.push_back(notice);
  }
  // Raised just now, or silenced until now.
  for (const Alert& alert : engine_.raised()) {
    if (told_.contains(alert.id) || marks.silence_of(alert, now) != nullptr ||
        marks.acknowledgement_of(alert) != nullptr)
      continue;
    told_.insert(alert.id);
    said.told.push_back({AlertChange::Raised, alert, now});
  }
  return said;
}

}  // namespace cidbus
