#include "shared/io/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include "shared/io/clock.h"
#include "shared/io/log_line.h"

namespace cidbus {
namespace {

constexpr std::array<std::string_view, log_level_count> level_names{"debug", "info", "warning", "error"};
constexpr std::size_t place(LogLevel level) { return static_cast<std::size_t>(level); }

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* pattern_of(LogFormat format) {
  return format == LogFormat::Json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                   : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%^%l%$ %v";
}

class StderrLog : public Log {
 public:
  explicit StderrLog(LogOptions options)
      : options_(std::move(options)), quietest_(options_.quietest), logger_("", make_sink(options_.format)) {
    logger_.set_level(spdlog::level::debug);  // write_about() judges
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern_of(options_.format),
                                                                      spdlog::pattern_time_type::utc));
    logger_.flush_on(spdlog::level::debug);
  }
  ~StderrLog() override { put_due(Monotonic::max()); }
  void write(LogLevel level, std::string_view line) override { write_about(level, line, {}); }
  void write_about(LogLevel level, std::string_view line, const LogFields& about) override {
    counts_[place(level)].fetch_add(1, std::memory_order_relaxed);
    if (!wants(level)) return;
    const Monotonic now = read_clock().monotonic;
    const std::lock_guard guard(lock_);
    put_due(now);
    if (repeats_.take(now, level, line, about)) put(level, line, about, 0);
  }
  [[nodiscard]] bool wants(LogLevel level) const override { return level >= quietest_.load(); }
  void change_level(int steps_louder) override {
    const int wanted = static_cast<int>(quietest_.load()) - steps_louder;
    quietest_ = static_cast<LogLevel>(std::clamp(wanted, 0, static_cast<int>(LogLevel::Error)));
    const std::lock_guard guard(lock_);
    put(LogLevel::Info, "the log level is " + std::string(to_text(quietest_)) + " now", {}, 0);
  }
  [[nodiscard]] std::array<std::uint64_t, log_level_count> counts() const override {
    std::array<std::uint64_t, log_level_count> all{};
    for (std::size_t level = 0; level < log_level_count; ++level) all[level] = counts_[level].load();
    return all;
  }

 private:
  static spdlog::sink_ptr make_sink(LogFormat format) {
    const char* no_color = std::getenv("NO_COLOR");
    const bool plain = format == LogFormat::Json || (no_color != nullptr && *no_color != '\0');
    return std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(plain ? spdlog::color_mode::never
                                                                           : spdlog::color_mode::automatic);
  }
  void put_due(Monotonic now) {
    for (const LogRepeats::Repeated& one : repeats_.take_due(now))
      put(one.level, one.line, one.fields(), one.times);
  }
  void put(LogLevel level, std::string_view line, const LogFields& about, std::uint64_t repeated) {
    logger_.log(spdlog_level(level), log_fields(options_.format, options_, about, line, repeated));
  }

  const LogOptions options_;
  std::atomic<LogLevel> quietest_;
  std::array<std::atomic<std::uint64_t>, log_level_count> counts_{};
  std::mutex lock_;
  LogRepeats repeats_;
  spdlog::logger logger_;
};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t level = 0; level < log_level_count; ++level)
    if (level_names[level] == text) return static_cast<LogLevel>(level);
  return std::nullopt;
}
std::string_view to_text(LogLevel level) { return level_names.at(place(level)); }

std::optional<LogFormat> parse_log_format(std::string_view text) {
  if (text == "logfmt") return LogFormat::Logfmt;
  if (text == "json") return LogFormat::Json;
  return std::nullopt;
}

std::unique_ptr<Log> make_stderr_log(LogOptions options) {
  return std::make_unique<StderrLog>(std::move(options));
}

}  // namespace cidbus
