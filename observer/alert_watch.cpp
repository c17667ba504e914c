#include "observer/alert_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "observer/marks_file.h"

namespace cidbus {
namespace {

// Another one for every file that was put there; empty when there is none.
std::string stamp_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return std::to_string(found.st_ino) + ":" + std::to_string(found.st_mtim.tv_sec) + ":" +
         std::to_string(found.st_mtim.tv_nsec) + ":" + std::to_string(found.st_size);
}

}  // namespace

AlertWatch::AlertWatch(AlertSetup setup, std::string cluster, const std::string& observer, std::string folder,
                       Log& log)
    : desk_(std::move(setup.rules)),
      sinks_(setup.sinks, cluster, observer, log),
      cluster_(std::move(cluster)),
      folder_(std::move(folder)),
      log_(log) {}

void AlertWatch::restore(const std::vector<LeftAlert>& alerts) {
  for (const LeftAlert& left : alerts) {
    const bool over = left.past.resolved_at.milliseconds != 0;
    if (over) {
      sinks_.tell({{AlertChange::Resolved, left.past.alert, left.past.resolved_at}});
    } else if (has_rule(left.past.alert.rule)) {
      desk_.restore(left.past.alert, left.told);
    } else {
      ruleless_.push_back(left);
    }
  }
}

bool AlertWatch::has_rule(const std::string& name) const {
  const auto& rules = desk_.engine().rules();
  return std::any_of(rules.begin(), rules.end(),
                     [&](const AlertRule& rule) { return rule.enabled && rule.name == name; });
}

std::vector<AlertNotice> AlertWatch::on_tick(WallTime now, bool blind) {
  read_marks_if_changed();
  AlertDesk::Said said = desk_.on_tick(now, cluster_, blind, marks_);
  for (LeftAlert& left : std::exchange(ruleless_, {})) {
    AlertNotice over{AlertChange::Resolved, std::move(left.past.alert), now};
    over.alert.text += "; its rule is there no longer";
    if (left.told) said.told.push_back(over);
    said.all.push_back(std::move(over));
  }
  for (const AlertNotice& notice : said.told) {
    const Alert& alert = notice.alert;
    const std::string line = "alert " + alert.id + " " + std::string(to_text(notice.change)) + ": " +
                             std::string(to_text(alert.level)) + ", " + alert.rule + ": " + alert.text;
    const bool worse = notice.change != AlertChange::Resolved && alert.level == AlertLevel::Critical;
    worse ? log_.error(line) : log_.warning(line);
  }
  sinks_.tell(said.told);
  return std::move(said.all);
}

void AlertWatch::read_marks_if_changed() {
  if (folder_.empty()) return;
  const std::string stamp = stamp_of(marks_path(folder_));
  if (stamp == marks_stamp_) return;
  marks_stamp_ = stamp;
  auto read = read_marks(folder_);
  if (read) {
    marks_ = std::move(*read);
  } else {
    log_.warning("silences stay as they were: " + read.error().message);
  }
}

}  // namespace cidbus
