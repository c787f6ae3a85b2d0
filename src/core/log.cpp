#include "actionclip/core/log.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/progress.h"

namespace actionclip {
namespace {

constexpr const char* kPattern = "%^%L%$ %H:%M:%S %v";

// Writes through the progress display, so that a log line never tears a bar that is being drawn.
class ProgressAwareSink : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const auto pause = ProgressBar::pause_drawing();
    spdlog::sinks::stderr_color_sink_mt::log(message);
  }
};

// Where the default logger's files come and go: a logger's own list of sinks must not change while other
// threads log.
std::shared_ptr<spdlog::sinks::dist_sink_mt> log_files() {
  auto& sinks = spdlog::default_logger()->sinks();
  for (const auto& sink : sinks) {
    if (auto files = std::dynamic_pointer_cast<spdlog::sinks::dist_sink_mt>(sink)) return files;
  }
  auto files = std::make_shared<spdlog::sinks::dist_sink_mt>();
  sinks.push_back(files);
  return files;
}

}  // namespace

void set_up_logging(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off") {
    throw UsageError(
        fmt::format("unknown log level '{}' (one of trace, debug, info, warn, error, off)", level));
  }
  auto sink = std::make_shared<ProgressAwareSink>();
  sink->set_pattern(kPattern);
  auto logger = std::make_shared<spdlog::logger>("actionclip", sink);
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);  // a run that is killed leaves its log
  spdlog::set_default_logger(std::move(logger));
}

void set_up_rank_logging(const std::string& prefix) {
  auto& logger = *spdlog::default_logger();
  logger.set_level(std::max(logger.level(), spdlog::level::warn));
  for (const auto& sink : logger.sinks()) sink->set_pattern(prefix + kPattern);
}

LogFile::LogFile(const std::filesystem::path& file) {
  try {
    sink_ = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    sink_->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
    log_files()->add_sink(sink_);
  } catch (const spdlog::spdlog_ex& problem) {
    throw Error(fmt::format("cannot write the log file {}: {}", file.string(), problem.what()));
  }
}

void LogFile::write_error(const std::string& message) {
  try {
    sink_->log({"actionclip", spdlog::level::err, message});
    sink_->flush();
  } catch (const spdlog::spdlog_ex& problem) {
    spdlog::debug("{}", problem.what());  // a full disk, of which `message` tells more
  }
}

LogFile::~LogFile() { log_files()->remove_sink(sink_); }

}  // namespace actionclip
