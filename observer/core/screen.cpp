#include "observer/core/screen.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "observer/core/screen_tables.h"

namespace cidbus {
namespace {

constexpr std::array<const char*, 5> page_names{"overview", "nodes", "tasks", "elections", "alerts"};
constexpr std::array<std::string_view, 7> codes{"", "1;36", "32", "33", "1;31", "2", "7"};
constexpr std::array<std::string_view, 7> codes_without_colours{"", "1", "", "1", "1;7", "2", "7"};
constexpr std::size_t clock_from = 11;  // of an RFC 3339 time
constexpr std::size_t clock_length = 8;

Line cut(Line line, std::size_t width) {
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const std::size_t room = width - used;
    if (line[at].text.size() > room) {
      line[at].text.resize(room);
      line.resize(at + 1);
      break;
    }
    used += line[at].text.size();
  }
  return line;
}

Style style_of(HealthStatus status) {
  static constexpr std::array<Style, 4> styles{Style::Good, Style::Faint, Style::Warning, Style::Bad};
  return styles[static_cast<std::size_t>(status)];
}

std::string rate_text(const std::optional<double>& rate) {
  if (!rate) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), *rate < 100 ? "%.1f" : "%.0f", *rate);
  return text.data();
}

std::uint64_t tasks_in(const Board& board, TaskState state) {
  const auto place = static_cast<std::size_t>(state);
  return place < board.tasks_by_state.size() ? board.tasks_by_state[place] : 0;
}

std::vector<Line> head(const Board& board, const ScreenState& state) {
  Line title{{"cidbus " + (board.cluster.empty() ? "?" : board.cluster), Style::Heading}};
  title.push_back(
      {"  " + (board.bound ? "leader " + board.leader + ", epoch " + std::to_string(board.epoch.value)
                           : std::string("no leader")),
       board.bound ? Style::Plain : Style::Bad});
  title.push_back({"  " + std::string(to_text(board.health.status)), style_of(board.health.status)});
  if (!board.alerts.empty())
    title.push_back(
        {"  " + std::to_string(board.alerts.size()) + (board.alerts.size() == 1 ? " alert" : " alerts"),
         Style::Warning});
  const std::string clock = to_rfc3339(board.time);
  title.push_back({"  " + (clock.empty() ? "" : clock.substr(clock_from, clock_length)), Style::Faint});
  if (state.paused) title.push_back({"  PAUSED", Style::Chosen});
  using enum TaskState;
  Line tasks{{"tasks ", Style::Faint}};
  tasks.push_back({std::to_string(tasks_in(board, Pending)) + " pending, " +
                   std::to_string(tasks_in(board, Assigned) + tasks_in(board, Processing)) + " running, " +
                   std::to_string(tasks_in(board, Completed)) + " completed"});
  const std::uint64_t bad = tasks_in(board, Failed) + tasks_in(board, Timeout);
  tasks.push_back({", " + std::to_string(bad) + " failed", bad == 0 ? Style::Plain : Style::Warning});
  tasks.push_back(
      {"  in " + rate_text(board.accepted_rate) + "/s, out " + rate_text(board.finished_rate) + "/s"});
  if (board.requeued_rate.value_or(0) > 0)
    tasks.push_back({", again " + rate_text(board.requeued_rate) + "/s", Style::Warning});
  return {title, tasks};
}

Line foot(const ScreenState& state) {
  if (state.typing_filter)
    return {{"filter: " + state.filter + "_", Style::Chosen},
            {"  Enter keeps it, Esc drops it", Style::Faint}};
  Line line;
  for (std::size_t page = 0; page < page_names.size(); ++page) {
    const bool here = page == static_cast<std::size_t>(state.page);
    line.push_back(
        {" " + std::to_string(page + 1) + " " + page_names[page] + " ", here ? Style::Chosen : Style::Faint});
  }
  line.push_back({" / filter  p pause  q quit  ? help", Style::Faint});
  if (!state.filter.empty()) line.push_back({"  filter: " + state.filter, Style::Warning});
  return line;
}

std::vector<Line> help_lines() {
  std::vector<Line> lines{{{"Keys", Style::Heading}}};
  for (const char* text :
       {"1-5, Tab    overview, nodes, tasks, elections, alerts",
        "up, down    scroll; also page up and down, home, end",
        "/           show only rows that contain what you type", "Esc         drop the filter",
        "s, r        nodes: sort by the next column, reverse", "p           stand still, and go on",
        "q           leave", "Any key closes this."})
    lines.push_back({{text}});
  return lines;
}

}  // namespace

std::string plain_text(const Line& line) {
  std::string text;
  for (const Piece& piece : line) text += piece.text;
  return text;
}

std::string styled_text(const Line& line, bool colours) {
  std::string text;
  for (const Piece& piece : line) {
    const std::string_view code =
        (colours ? codes : codes_without_colours)[static_cast<std::size_t>(piece.style)];
    if (code.empty() || piece.text.empty()) {
      text += piece.text;
    } else {
      text += "\x1b[" + std::string(code) + "m" + piece.text + "\x1b[0m";
    }
  }
  return text;
}

std::vector<Line> draw(const Board& board, ScreenState& state, std::size_t width, std::size_t height) {
  std::vector<Line> lines = head(board, state);
  const std::size_t room = height - lines.size() - 1;
  ScreenTable table = state.help ? ScreenTable{{}, help_lines()} : table_of(board, state);
  const std::size_t headings = table.heading.size();
  for (Line& line : table.heading) lines.push_back(std::move(line));
  const std::size_t rows = room > headings ? room - headings : 0;
  state.scroll = std::min(state.scroll, table.rows.size() - std::min(table.rows.size(), rows));
  for (std::size_t row = state.scroll; row < table.rows.size() && row < state.scroll + rows; ++row)
    lines.push_back(std::move(table.rows[row]));
  lines.resize(height - 1);
  lines.push_back(foot(state));
  for (Line& line : lines) line = cut(std::move(line), width);
  return lines;
}

}  // namespace cidbus
