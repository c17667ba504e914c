#include "shared/io/log_line.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace cidbus {
namespace {

// In double quotes, as JSON and logfmt both read it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned char>(c));
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Fields {
 public:
  explicit Fields(LogFormat format) : format_(format) {}
  void text(std::string_view name, std::string_view value, bool always_quoted = false) {
    if (value.empty() && !always_quoted) return;
    put(name, format_ == LogFormat::Json || always_quoted ? quoted(value) : std::string(value));
  }
  void number(std::string_view name, std::uint64_t value) {
    if (value != 0) put(name, std::to_string(value));
  }
  std::string take() { return std::move(out_); }

 private:
  void put(std::string_view name, const std::string& value) {
    const bool json = format_ == LogFormat::Json;
    if (!out_.empty()) out_ += json ? ',' : ' ';
    if (json) {
      out_.append("\"").append(name).append("\":");
    } else {
      out_.append(name).append("=");
    }
    out_ += value;
  }
  LogFormat format_;
  std::string out_;
};

// No longer than `most` bytes, and no part of a character (UTF-8, RFC 3629): a reader of JSON refuses that.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

bool is_same(const LogFields& left, const LogFields& right) {
  return left.epoch == right.epoch && left.task == right.task && left.attempt == right.attempt &&
         left.trace == right.trace;
}

}  // namespace

std::string log_fields(LogFormat format, const LogOptions& who, const LogFields& about, std::string_view line,
                       std::uint64_t repeated) {
  Fields fields(format);
  fields.text("node", who.node);
  fields.text("role", who.role);
  fields.number("epoch", about.epoch.value);
  if (about.task != TaskId{}) fields.text("task", to_text(about.task));
  fields.number("attempt", about.attempt);
  fields.text("trace_id", about.trace);
  fields.text("msg", cut(line, limits::text_length), true);
  fields.number("repeated", repeated);
  return fields.take();
}

bool LogRepeats::take(Monotonic now, LogLevel level, std::string_view line, const LogFields& about) {
  const auto same = std::find_if(recent_.begin(), recent_.end(), [&](const Recent& one) {
    return one.what.level == level && one.what.line == line && is_same(one.what.fields(), about);
  });
  if (same != recent_.end()) {
    ++same->what.times;
    return false;
  }
  if (recent_.size() >= limits::log_lines_remembered) {
    if (recent_.front().what.times > 0) forgotten_.push_back(std::move(recent_.front().what));
    recent_.erase(recent_.begin());
  }
  const LogFields kept{about.epoch, about.task, about.attempt, {}};
  recent_.push_back({{level, std::string(line), kept, std::string(about.trace), 0}, now});
  return true;
}

std::vector<LogRepeats::Repeated> LogRepeats::take_due(Monotonic now) {
  std::vector<Repeated> due = std::exchange(forgotten_, {});
  while (!recent_.empty() && now - recent_.front().since >= limits::log_repeat_window) {
    if (recent_.front().what.times > 0) due.push_back(std::move(recent_.front().what));
    recent_.erase(recent_.begin());
  }
  return due;
}

}  // namespace cidbus
