#include "observer/history_keeper.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "shared/io/mailbox.h"
#include "shared/io/posix_file_system.h"

namespace cidbus {
namespace {

constexpr Duration drop_period = std::chrono::minutes(10);

struct Job {
  std::vector<SeriesPart> parts;
  std::vector<AlertRecord> alerts;
  WallTime now;
  bool drops_old = false;
  bool last = false;  // nothing follows
};

// The file's thread.
void keep(HistoryFile& file, Mailbox<Job>& jobs, Mailbox<Status>& answers) {
  for (;;) {
    jobs.wait();
    for (const Job& job : jobs.take_all()) {
      Status done = file.write(job.parts, job.alerts);
      if (done && job.drops_old) done = file.drop_old(job.now);
      answers.push(std::move(done));
      if (job.last) return;
    }
  }
}

}  // namespace

struct HistoryKeeper::State {
  State(std::unique_ptr<DirectoryLock> held, HistoryFile opened, History& kept, Log& log_to)
      : lock(std::move(held)), file(std::move(opened)), history(kept), log(log_to) {}

  void collect(Now now) {
    for (const Status& done : answers.take_all()) {
      writing = false;
      if (done) {
        if (failed) log.warning("history is written to disk again");
        failed = false;
        written_until = collected_until;
        alerts.erase(alerts.begin(), alerts.begin() + static_cast<std::ptrdiff_t>(collected_alerts));
      } else if (!failed) {
        failed = true;
        log.error("history is not written, and goes on in memory: " + done.error().message);
      }
      next = now.monotonic + limits::history_write_period;
    }
  }
  void begin_write(Now now, bool last) {
    Job job;
    job.now = now.wall;
    job.last = last;
    job.drops_old = now.monotonic >= next_drop;
    if (job.drops_old) next_drop = now.monotonic + drop_period;
    job.parts = history.changed_since(span_start(written_until, Resolution::Minute));
    job.alerts = alerts;
    collected_alerts = alerts.size();
    collected_until = now.wall.milliseconds / 1000;
    writing = true;
    last_time = now;
    jobs.push(std::move(job));
  }

  const std::unique_ptr<DirectoryLock> lock;
  HistoryFile file;  // the thread's
  History& history;
  Log& log;
  Mailbox<Job> jobs;
  Mailbox<Status> answers;
  bool writing = false;              // until its answer is collected
  bool failed = false;               // the last write
  std::int64_t written_until = 0;    // the file has everything before this second
  std::int64_t collected_until = 0;  // of the write under way
  std::vector<LeftAlert> left_alerts;
  std::vector<AlertRecord> alerts;   // not in the file yet
  std::size_t collected_alerts = 0;  // of them, in the write under way
  Monotonic next;
  Monotonic next_drop;
  Now last_time;
  std::thread thread;
};

HistoryKeeper::HistoryKeeper(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] { keep(state->file, state->jobs, state->answers); });
}

HistoryKeeper::~HistoryKeeper() {
  state_->begin_write(state_->last_time, true);
  state_->thread.join();
}

Result<std::unique_ptr<HistoryKeeper>> HistoryKeeper::open(const std::string& folder, ByteCount most, Now now,
                                                           History& history, Log& log) {
  PosixFileSystem files;
  if (const Status made = files.create_directory(folder); !made) return tl::unexpected(made.error());
  auto lock = files.lock(folder);
  if (!lock) return tl::unexpected(lock.error());
  auto file = HistoryFile::open(folder, most);
  if (!file) return tl::unexpected(file.error());
  const auto parts = file->newest(now.wall);
  if (!parts) return tl::unexpected(parts.error());
  for (const SeriesPart& part : *parts) history.restore(part);
  auto state = std::make_unique<State>(std::move(*lock), std::move(*file), history, log);
  state->last_time = now;
  auto left = state->file.left_alerts();
  if (!left) return tl::unexpected(left.error());
  state->left_alerts = std::move(*left);
  return std::unique_ptr<HistoryKeeper>(new HistoryKeeper(std::move(state)));
}

const std::vector<LeftAlert>& HistoryKeeper::left_alerts() const { return state_->left_alerts; }

void HistoryKeeper::on_tick(Now now, const std::vector<AlertNotice>& happened,
                            const std::vector<AlertNotice>& told) {
  State& state = *state_;
  state.last_time = now;
  state.collect(now);
  for (const AlertNotice& notice : happened) state.alerts.push_back({notice, false});
  for (const AlertNotice& notice : told) state.alerts.push_back({notice, true});
  if (state.alerts.size() > limits::alerts) {
    const std::size_t dropped = state.alerts.size() - limits::alerts;
    state.alerts.erase(state.alerts.begin(), state.alerts.begin() + static_cast<std::ptrdiff_t>(dropped));
    state.collected_alerts -= std::min(state.collected_alerts, dropped);
  }
  const bool urgent = !state.failed && !(happened.empty() && told.empty());
  if (!state.writing && (urgent || now.monotonic >= state.next)) state.begin_write(now, false);
}

}  // namespace cidbus
