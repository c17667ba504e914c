#include "tests/sim/chronicle.h"

#include <array>
#include <iomanip>
#include <ostream>
#include <utility>

namespace cidbus::sim {
namespace {

using Mark = std::pair<std::string_view, const char*>;

// What a broker says in its log when it goes a way that is seldom gone.
constexpr std::array marks_of_lines = {
    Mark{"objects to", "E3 another's candidacy is objected to"},
    Mark{"holds back for", "E4 a better broker is waited for"},
    Mark{"catches up from", "E8 a journal is taken over by FETCH"},
    Mark{"cuts its own", "R2 a tail that nobody else has is cut"},
    Mark{"out of office", "E9 an office is left"},
    Mark{"stood still", "loop rule: a broker stood still"},
    Mark{"hands its office to", "H2 a hand-over begins"},
    Mark{"was not taken over from", "H3 a hand-over comes to nothing"},
    Mark{"took the state of another broker", "section 6: a snapshot is installed"},
    Mark{"a snapshot of another broker was of no use",
         "section 6: a snapshot that arrives damaged is refused"},
    Mark{"no snapshot was taken", "section 6: a snapshot is given up"},
    Mark{"a damaged batch, to be had", "D1 a hole is found"},
    Mark{"mended", "D1 damage is mended from its second place"},
    Mark{"refilled a damaged batch", "D2 a hole is refilled"},
    Mark{"dropped the damaged end", "D2 a damaged end that nobody has is dropped"},
    Mark{"lost its journal and is brought up", "D3 a lost journal is brought up"},
    Mark{"has the whole journal of its group", "D3 a lost or new journal is whole"},
    Mark{".damaged", "section 6: a damaged snapshot is set aside"},
    Mark{"room on the disk is full", "section 8: a disk is full"},
    Mark{"refused a broker's message", "a broker's message is refused"},
};

}  // namespace

void Chronicle::fault(const std::string& kind, std::string_view where) {
  ++faults_[kind];
  if (is_told()) say("fault", kind + (where.empty() ? "" : ": ") + std::string(where));
}

void Chronicle::log_line(std::string_view broker, std::string_view line) {
  for (const auto& [words, name] : marks_of_lines)
    if (line.find(words) != std::string_view::npos) mark(name);
  if (is_told()) say(broker, line);
}

void Chronicle::say(std::string_view who, std::string_view what) {
  if (!is_told()) return;
  const auto since_start = timeline_.now().monotonic - Timeline().now().monotonic;
  *trace_ << std::fixed << std::setprecision(6) << std::setw(12)
          << std::chrono::duration<double>(since_start).count() << "  " << who << ": " << what << "\n";
}

}  // namespace cidbus::sim
