// What a run measures, as it goes: metrics.jsonl (a JSON object a line) and TensorBoard's
// events.out.tfevents.* in the run's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>

#include <nlohmann/json.hpp>

namespace actionclip {

class EventFile;

class MetricsLog {
 public:
  // Continues the log of `folder` (made if absent) after `resume_step` and the validation of
  // `evaluated_epoch`, 0 for a fresh run. Lines of a later step, validations of a later "epoch", and what a
  // crash left of a line, are dropped (in one atomic replacement), so that a resumed run leaves no gap and
  // nothing twice. Throws Error (path, reason).
  MetricsLog(const std::filesystem::path& folder, std::int64_t resume_step, std::int64_t evaluated_epoch);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // Appends `record` (an object; "split" names the part: train, val) as one line with "step" set to `step`,
  // and hands it to the system at once. Its numbers, but for "step", also go to TensorBoard as "split/key". A
  // number that is not finite is null in the line, as JSON has none. Throws Error (path, reason);
  // std::invalid_argument if the record is no object or has no "split".
  void write(std::int64_t step, const nlohmann::ordered_json& record);

 private:
  std::filesystem::path path_;
  std::ofstream lines_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace actionclip
