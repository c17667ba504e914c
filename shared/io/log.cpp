#include "shared/io/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace cidbus {
namespace {

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

class StderrLog : public Log {
 public:
  StderrLog(std::string node, LogLevel quietest) : logger_(std::move(node), make_sink()) {
    logger_.set_level(spdlog_level(quietest));
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %n: %v",
                                                                      spdlog::pattern_time_type::utc));
    logger_.flush_on(spdlog::level::debug);
  }
  void write(LogLevel level, std::string_view line) override {
    logger_.log(spdlog_level(level), line.substr(0, limits::text_length));
  }

 private:
  static spdlog::sink_ptr make_sink() {
    const char* no_color = std::getenv("NO_COLOR");
    const bool plain = no_color != nullptr && *no_color != '\0';
    return std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(plain ? spdlog::color_mode::never
                                                                           : spdlog::color_mode::automatic);
  }

  spdlog::logger logger_;
};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::Debug;
  if (text == "info") return LogLevel::Info;
  if (text == "warning") return LogLevel::Warning;
  if (text == "error") return LogLevel::Error;
  return std::nullopt;
}

std::unique_ptr<Log> make_stderr_log(std::string node, LogLevel quietest) {
  return std::make_unique<StderrLog>(std::move(node), quietest);
}

}  // namespace cidbus
