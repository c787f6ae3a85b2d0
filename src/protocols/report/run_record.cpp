#include "actionclip/protocols/run_record.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <fstream>
#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

#include "json_values.h"

namespace actionclip {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, 5> kConfigNames = {
    kTrainConfigName, kEvaluationConfigName, kZeroShotConfigName, kFewShotConfigName, kBaseToNovelConfigName};
constexpr std::array<const char*, 4> kTrainKeys = {"loss", "lr", "videos_per_second", "data_wait_fraction"};
constexpr std::array<const char*, 4> kValidationKeys = {"top1", "top5", "map", "loss"};

// Calls `read` with the file if it is there. What it throws is a problem of the run, not the end of reading.
void read_if_there(RunRecord& run, const char* name,
                   const std::function<void(const std::filesystem::path&)>& read) {
  const auto file = run.folder / name;
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return;
  try {
    read(file);
  } catch (const std::exception& problem) {  // the library's own, JSON's, and of memory
    run.problems.push_back(fmt::format("{}: {}", name, problem.what()));
  }
}

void add_points(RunRecord& run, const ordered_json& line, const std::string& split,
                const std::array<const char*, 4>& keys) {
  const auto step = line.find("step");
  if (step == line.end() || !step->is_number()) return;
  for (const char* key : keys) {
    const auto value = line.find(key);
    if (value == line.end() || !value->is_number() || !std::isfinite(value->get<double>())) continue;
    auto& curve = run.curves[split + "/" + key];
    curve.steps.push_back(step->get<double>());
    curve.values.push_back(value->get<double>());
  }
}

void read_metrics(RunRecord& run, const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw Error("cannot be opened");
  std::string text;
  std::int64_t damaged = 0;
  while (std::getline(input, text)) {
    auto line = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto split = line.is_object() && line.contains("split") ? line["split"] : ordered_json();
    if (split == "train") {
      add_points(run, line, "train", kTrainKeys);
    } else if (split == "val") {
      add_points(run, line, "val", kValidationKeys);
      run.last_validation = std::move(line);
    } else if (split == "summary") {
      run.bottleneck = std::move(line);
    } else if (!line.is_object()) {
      ++damaged;
    }
  }
  if (damaged > 0) throw Error(fmt::format("{} of its lines are no JSON objects, and are left out", damaged));
}

void read_log(RunRecord& run, const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw Error("cannot be opened");
  constexpr std::size_t kLevelPlace = 24;  // behind "2026-11-27 07:12:56.822 "
  std::deque<std::string> notes;
  std::string line;
  while (std::getline(input, line)) {
    if (run.log_first.empty()) run.log_first = line;
    const bool is_note = line.size() > kLevelPlace &&
                         (line[kLevelPlace] == 'W' || line[kLevelPlace] == 'E') &&
                         line.at(kLevelPlace - 1) == ' ';
    if (is_note) {
      ++run.log_note_count;
      notes.push_back(line);
      if (notes.size() > RunRecord::kMaxLogNotes) notes.pop_front();
    }
    if (!line.empty()) std::swap(run.log_last, line);
  }
  run.log_notes.assign(notes.begin(), notes.end());
}

ConfusionMatrix read_confusion(const std::filesystem::path& file) {
  const auto text = read_text_file(file);
  const auto name = file.string();
  CsvReader reader(text, name);
  CsvRow row;
  if (!reader.next(row) || row.fields.size() < 2) throw Error("has no header with the labels");
  ConfusionMatrix matrix;
  matrix.labels.assign(row.fields.begin() + 1, row.fields.end());
  for (std::int32_t truth = 0; reader.next(row); ++truth) {
    if (row.fields.size() != matrix.labels.size() + 1 || truth >= std::ssize(matrix.labels))
      throw Error(fmt::format("line {}: is not as long as the header", row.line));
    for (std::size_t p = 1; p < row.fields.size(); ++p) {
      const auto videos = parse_integer(row.fields[p]);
      if (!videos || *videos < 0)
        throw Error(fmt::format("line {}: '{}' is no count", row.line, row.fields[p]));
      if (*videos > 0)
        matrix.cells.push_back(
            {.truth = truth, .predicted = static_cast<std::int32_t>(p - 1), .videos = *videos});
    }
  }
  return matrix;
}

bool holds_a_run(const RunRecord& run) {
  return !run.config_name.empty() || !run.curves.empty() || !run.evaluation.is_null() ||
         !run.zero_shot.is_null() || !run.few_shot.is_null() || !run.base_to_novel.is_null() || run.scores ||
         !run.problems.empty();
}

// Of as many splits as zero_shot.json has: files of an earlier call with more of them do not count.
void read_zero_shot_scores(RunRecord& run) {
  const auto splits = detail::array_at(run.zero_shot, "splits").size();
  for (std::size_t i = 0; i < splits; ++i) {
    read_if_there(run, zero_shot_scores_name(i).c_str(),
                  [&](const auto& file) { run.zero_shot_scores.push_back(load_scores(file)); });
  }
}

}  // namespace

std::string zero_shot_scores_name(std::size_t index) {
  return fmt::format("zero_shot-{}.safetensors", index + 1);
}

RunRecord read_run(const std::filesystem::path& folder) {
  std::error_code unknown;
  if (!std::filesystem::is_directory(folder, unknown))
    throw Error(fmt::format("{}: no such folder; give the folder of a run", folder.string()));
  RunRecord run{.folder = folder};
  for (const char* name : kConfigNames) {
    if (!run.config_name.empty()) break;
    read_if_there(run, name, [&](const auto& file) {
      run.config = read_text_file(file);
      run.config_name = name;
    });
  }
  read_if_there(run, "metrics.jsonl", [&](const auto& file) { read_metrics(run, file); });
  read_if_there(run, "train.log", [&](const auto& file) { read_log(run, file); });
  const auto read_json = [&](const char* name, ordered_json& json) {
    read_if_there(run, name, [&](const auto& file) { json = ordered_json::parse(read_text_file(file)); });
  };
  read_json("evaluation.json", run.evaluation);
  read_json("zero_shot.json", run.zero_shot);
  read_json("few_shot.json", run.few_shot);
  read_json("base_to_novel.json", run.base_to_novel);
  read_json("machine.json", run.machine);
  read_if_there(run, "confusion.csv", [&](const auto& file) { run.confusion = read_confusion(file); });
  read_if_there(run, "scores.safetensors", [&](const auto& file) { run.scores = load_scores(file); });
  read_zero_shot_scores(run);
  if (!holds_a_run(run)) {
    throw Error(
        fmt::format("{}: holds nothing of a run (config.yaml, metrics.jsonl, evaluation.json, "
                    "zero_shot.json, few_shot.json)",
                    folder.string()));
  }
  return run;
}

std::string run_name(const RunRecord& run) {
  std::error_code unknown;
  auto place = std::filesystem::weakly_canonical(run.folder, unknown);
  if (unknown) place = run.folder;
  const auto name = place.filename().string();
  return name.empty() ? place.string() : name;
}

}  // namespace actionclip
