#include "tools/best_validation.h"

#include <exception>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/class_figures.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/eval/video_scores.h"
#include "actionclip/video/video_list.h"

#include "tools/evaluation.h"

namespace actionclip {
namespace {

constexpr const char* kEvaluation = "evaluation.json";
constexpr const char* kConfusion = "confusion.csv";
constexpr const char* kScores = "scores.safetensors";

void write_validation(const std::filesystem::path& run_folder, const Experiment& experiment,
                      ProtocolCheck& protocols, const Validation& validation) {
  const LabelSet labels = read_labels(experiment.data.labels.path);
  const auto protocol = protocols.check(0, validation.list, labels);
  auto scores = validation.report.scores;
  note_protocol(protocol, scores);
  auto json = describe(validation.report, "val", experiment.data.val, protocol);
  json["step"] = validation.step;
  json["per_class"] = class_figures(scores);
  write_file_atomically(run_folder / kEvaluation, json_text(json) + "\n");
  if (!scores.multi_label)
    write_file_atomically(run_folder / kConfusion, confusion_csv(validation.report, labels));
  save_scores(scores, run_folder / kScores);
}

}  // namespace

void keep_validation(const std::filesystem::path& run_folder, const Experiment& experiment,
                     ProtocolCheck protocols, const Validation& validation) {
  try {
    write_validation(run_folder, experiment, protocols, validation);
  } catch (const std::exception& problem) {
    spdlog::warn("what the validation found is not kept for the report: {}", problem.what());
  }
}

void drop_validation_of_other_step(const std::filesystem::path& run_folder, std::int64_t best_step) {
  const auto file = run_folder / kEvaluation;
  std::error_code absent;
  if (!std::filesystem::exists(file, absent)) return;
  const auto json = nlohmann::json::parse(read_text_file(file), nullptr, /*allow_exceptions=*/false);
  const auto step = json.is_object() ? json.find("step") : json.end();
  if (step == json.end() || *step == best_step) return;
  spdlog::warn("{}: is of step {}, which the run goes back behind: removed, with what lies beside it",
               file.string(), step->dump());
  for (const char* name : {kScores, kConfusion, kEvaluation}) std::filesystem::remove(run_folder / name);
}

}  // namespace actionclip
