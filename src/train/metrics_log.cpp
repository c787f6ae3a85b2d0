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
#include "actionclip/core/json_text.h"

#include "event_file.h"

namespace actionclip {
namespace {

// How far a run is.
struct Position {
  std::int64_t step;
  std::int64_t evaluated_epoch;
};

// Whether a run at `position` has what a line of metrics.jsonl tells behind it; none if the line is damaged.
std::optional<bool> is_past(const std::string& line, const Position& position) {
  const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("step") || !record["step"].is_number_integer())
    return std::nullopt;
  if (record["step"].get<std::int64_t>() > position.step) return false;
  const bool validation = record.value("split", nlohmann::json()) == "val";
  const auto epoch = record.value("epoch", nlohmann::json());
  return !validation || !epoch.is_number() ||
         epoch.get<double>() <= static_cast<double>(position.evaluated_epoch);
}

void copy_past_lines(const Position& position, const std::filesystem::path& from,
                     const std::filesystem::path& to) {
  std::ifstream input(from, std::ios::binary);
  if (!input) throw Error(fmt::format("cannot open {}: {}", from.string(), std::strerror(errno)));
  OutputFile output(to);
  std::string line;
  for (std::int64_t number = 1; std::getline(input, line); ++number) {
    const auto past = is_past(line, position);
    if (!past) spdlog::warn("{}:{}: not a line of metrics, dropped", from.string(), number);
    if (past.value_or(false)) output.write(line + '\n');
  }
  if (input.bad()) throw Error(fmt::format("cannot read {}: {}", from.string(), std::strerror(errno)));
  output.finish();
}

void drop_lines_after(const Position& position, const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return;
  const auto temporary = temporary_sibling(path);
  try {
    copy_past_lines(position, path, temporary);
    rename_durably(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& folder, std::int64_t resume_step,
                       std::int64_t evaluated_epoch)
    : path_(folder / "metrics.jsonl") {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) throw Error(fmt::format("cannot create folder {}: {}", folder.string(), code.message()));
  drop_lines_after({resume_step, evaluated_epoch}, path_);
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
  const auto text = json_text(line, -1) + '\n';
  lines_ << text << std::flush;
  if (!lines_)
    throw Error(fmt::format("cannot write {} ({} bytes needed): {}", path_.string(), text.size(),
                            std::strerror(errno)));

  std::vector<std::pair<std::string, float>> scalars;
  for (const auto& [key, value] : record.items()) {
    if (!value.is_number() || key == "step") continue;
    scalars.emplace_back(record["split"].get<std::string>() + '/' + key, value.get<float>());
  }
  if (!scalars.empty()) events_->write_scalars(step, scalars);
}

}  // namespace actionclip
