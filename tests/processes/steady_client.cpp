// A client that never stops, for tests that hurt brokers meanwhile: it keeps WINDOW echo tasks in flight, and
// beside them submits one more every 5 ms, whatever became of those before, and tells when it was accepted.
//
//   steady_client WINDOW        CIDBUS_BROKERS and CIDBUS_CLUSTER say where; the end of its input ends it
//
// Its output: a line "accepted SUBMITTED ACCEPTED" for each of the latter (nanoseconds of CLOCK_MONOTONIC),
// and at the end "submitted N told N twice N wrong N failed N same N": tasks that ended, those told twice,
// with an answer that is not theirs, not completed; and task ids that two of them share.
#include <cidbus/client.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace {

constexpr auto pause = std::chrono::microseconds(500);  // so that the machine is loaded, not drowned
constexpr auto paced = std::chrono::milliseconds(5);

std::int64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

struct Ledger {
  std::mutex lock;
  std::vector<std::uint8_t> told;  // times, by number
  std::set<std::string> ids;
  std::size_t twice = 0, wrong = 0, failed = 0, same = 0;
  std::atomic<int> open = 0;

  std::size_t begin() {
    const std::lock_guard hold(lock);
    told.push_back(0);
    return told.size() - 1;
  }
  void end(std::size_t number, const cidbus::Result<cidbus::Task>& task) {
    {
      const std::lock_guard hold(lock);
      if (++told[number] > 1) ++twice;
      if (!task || task->state != cidbus::TaskState::Completed) {
        ++failed;
      } else {
        if (task->result.values.at(0).second != std::to_string(number)) ++wrong;
        if (!ids.insert(task->id.text()).second) ++same;
      }
    }
    --open;
    open.notify_all();
  }
  std::size_t ended() {
    const std::lock_guard hold(lock);
    std::size_t count = 0;
    for (const std::uint8_t times : told) count += times > 0 ? 1 : 0;
    return count;
  }
};

cidbus::TaskRequest request_of(std::size_t number) {
  return {.type = "echo", .parameters = {{"number", std::to_string(number)}}};
}

void keep_window(cidbus::Client& client, Ledger& ledger, int window, const std::atomic<bool>& stopped) {
  while (!stopped) {
    for (int open = ledger.open; open >= window; open = ledger.open) ledger.open.wait(open);
    const std::size_t number = ledger.begin();
    ++ledger.open;
    const auto submitted =
        client.submit(request_of(number),
                      [&ledger, number](cidbus::Result<cidbus::Task> task) { ledger.end(number, task); });
    if (!submitted) ledger.end(number, submitted.error());
    std::this_thread::sleep_for(pause);
  }
}

// Hears of submissions, in their order, when each was accepted and what became of it, so that whoever submits
// waits for nobody.
class Hearer {
 public:
  explicit Hearer(Ledger& ledger)
      : ledger_(ledger), accepted_([this] { hear_accepted(); }), ended_([this] { hear_ended(); }) {}
  ~Hearer() {
    add({});
    accepted_.join();
    ended_.join();
  }
  Hearer(const Hearer&) = delete;
  Hearer& operator=(const Hearer&) = delete;
  struct Submitted {
    std::size_t number = 0;
    std::int64_t begun = 0;
    std::optional<cidbus::Submission> submission = {};  // none: the last one
  };
  void add(Submitted one) { sent_.put(std::move(one)); }

 private:
  class Queue {
   public:
    void put(Submitted one) {
      const std::lock_guard hold(lock_);
      waiting_.push_back(std::move(one));
      changed_.notify_one();
    }
    Submitted take() {
      std::unique_lock hold(lock_);
      changed_.wait(hold, [this] { return !waiting_.empty(); });
      Submitted one = std::move(waiting_.front());
      waiting_.pop_front();
      return one;
    }

   private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<Submitted> waiting_;
  };
  void hear_accepted() {
    for (Submitted one = sent_.take(); one.submission; one = sent_.take()) {
      if (one.submission->accepted())
        std::cout << "accepted " << one.begun << ' ' << monotonic_now() << std::endl;
      open_.put(std::move(one));
    }
    open_.put({});
  }
  void hear_ended() {
    for (Submitted one = open_.take(); one.submission; one = open_.take())
      ledger_.end(one.number, one.submission->result());
  }

  Ledger& ledger_;
  Queue sent_, open_;
  std::thread accepted_, ended_;
};

// Whether the last was accepted or not: a blow meets a submission within a moment, as it does where many
// submit.
void submit_without_end(cidbus::Client& client, Ledger& ledger, const std::atomic<bool>& stopped) {
  Hearer hearer(ledger);
  while (!stopped) {
    const std::size_t number = ledger.begin();
    ++ledger.open;
    const std::int64_t begun = monotonic_now();
    auto submission = client.submit(request_of(number));
    if (submission) {
      hearer.add({number, begun, std::move(*submission)});
    } else {
      ledger.end(number, submission.error());
    }
    std::this_thread::sleep_for(paced);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::atoi(argv[1]) < 1) return std::cerr << "steady_client WINDOW\n", 2;
  Ledger ledger;
  auto client = cidbus::Client::connect();
  if (!client) return std::cerr << client.error().message << '\n', 69;
  std::atomic<bool> stopped = false;
  std::thread many(keep_window, std::ref(*client), std::ref(ledger), std::atoi(argv[1]), std::cref(stopped));
  std::thread one(submit_without_end, std::ref(*client), std::ref(ledger), std::cref(stopped));
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  stopped = true;
  many.join();
  one.join();
  for (int open = ledger.open; open != 0; open = ledger.open) ledger.open.wait(open);
  std::cout << "submitted " << ledger.told.size() << " told " << ledger.ended() << " twice " << ledger.twice
            << " wrong " << ledger.wrong << " failed " << ledger.failed << " same " << ledger.same
            << std::endl;
  return 0;
}
