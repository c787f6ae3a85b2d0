#include "actionclip/train/metrics_log.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "event_file.h"

namespace actionclip {
namespace {

// The step of a line of metrics.jsonl; none if the line is damaged.
std::optional<std::int64_t> step_of(const std::string& line) {
  const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("step") || !record["step"].is_number_integer())
    return std::nullopt;
  return record["step"].get<std::int64_t>();
}

void copy_lines_up_to(std::int64_t last_step, const std::filesystem::path& from,
                      const std::filesystem::path& to) {
  std::ifstream input(from, std::ios::binary);
  if (!input) throw Error(fmt::format("cannot open {}: {}", from.string(), std::strerror(errno)));
  OutputFile output(to);
  std::string line;
  for (std::int64_t number = 1; std::getline(input, line); ++number) {
    const auto step = step_of(line);
    if (!step) spdlog::warn("{}:{}: not a line of metrics, dropped", from.string(), number);
    if (step && *step <= last_step) output.write(line + '\n');
  }
  if (input.bad()) throw Error(fmt::format("cannot read {}: {}", from.string(), std::strerror(errno)));
  output.finish();
}

void drop_lines_after(std::int64_t last_step, const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return;
  const auto temporary = temporary_sibling(path);
  try {
    copy_lines_up_to(last_step, path, temporary);
    rename_durably(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& folder, std::int64_t resume_step)
    : path_(folder / "metrics.jsonl") {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) throw Error(fmt::format("cannot create folder {}: {}", folder.string(), code.message()));
  drop_lines_after(resume_step, path_);
  lines_.open(path_, std::ios::binary | std::ios::app);
  if (!lines_) throw Error(fmt::format("cannot open {}: {}", path_.string(), std::strerror(errno)));
  events_ = std::make_unique<EventFile>(folder, resume_step + 1);
}

MetricsLog::~MetricsLog() = default;

void MetricsLog::write(std::int64_t step, const nlohmann::ordered_json& record) {
  if (!record.is_object() || !record.contains("split") || !record["split"].is_string()) {
    throw std::invalid_argument("a record of metrics must be an object with a \"split\"");
  }
  auto line = record;
  line["step"] = step;
  lines_ << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n' << std::flush;
  if (!lines_) throw Error(fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno)));

  std::vector<std::pair<std::string, float>> scalars;
  for (const auto& [key, value] : record.items()) {
    if (!value.is_number() || key == "step") continue;
    scalars.emplace_back(record["split"].get<std::string>() + '/' + key, value.get<float>());
  }
  if (!scalars.empty()) events_->write_scalars(step, scalars);
}

}  // namespace actionclip
