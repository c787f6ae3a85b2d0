// What lies in the folder of a run: of `train`, `evaluate`, `zero-shot`, `few-shot` or `base-to-novel`.
// Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// Settings as a command that prints results leaves them beside these: its resolved experiment. `train` has
// config.yaml, which what scores into the same folder must leave alone.
inline constexpr const char* kTrainConfigName = "config.yaml";
inline constexpr const char* kEvaluationConfigName = "evaluation.yaml";
inline constexpr const char* kZeroShotConfigName = "zero_shot.yaml";
inline constexpr const char* kFewShotConfigName = "few_shot.yaml";
inline constexpr const char* kBaseToNovelConfigName = "base_to_novel.yaml";

// The scores of zero-shot's split `index` (from 0): "zero_shot-1.safetensors".
std::string zero_shot_scores_name(std::size_t index);

// A figure over the optimiser steps of a run.
struct Curve {
  std::vector<double> steps;
  std::vector<double> values;  // finite

  bool empty() const { return steps.empty(); }
};

// Non-zero cells of a confusion matrix of C classes.
struct ConfusionMatrix {
  struct Cell {
    std::int32_t truth = 0;
    std::int32_t predicted = 0;
    std::int64_t videos = 0;
  };
  std::vector<std::string> labels;
  std::vector<Cell> cells;  // by truth, then predicted
};

struct RunRecord {
  std::filesystem::path folder;
  std::string config_name;  // the first of the files above that is there; empty: none is
  std::string config;       // its text

  // metrics.jsonl, by "train/loss", "train/lr", "train/videos_per_second", "train/data_wait_fraction",
  // "val/top1", "val/top5", "val/map", "val/loss"; those that it has.
  std::map<std::string, Curve> curves;
  nlohmann::ordered_json last_validation;  // its last line of a validation; null: none
  nlohmann::ordered_json bottleneck;       // its line "summary"; null: none

  // The JSON files of these names; null where there is none.
  nlohmann::ordered_json evaluation;
  nlohmann::ordered_json zero_shot;
  nlohmann::ordered_json few_shot;
  nlohmann::ordered_json base_to_novel;
  nlohmann::ordered_json machine;

  std::optional<ConfusionMatrix> confusion;  // confusion.csv
  std::optional<VideoScores> scores;         // scores.safetensors
  std::vector<VideoScores>
      zero_shot_scores;  // zero_shot-1.safetensors and on: of the splits of zero_shot.json

  std::string log_first;               // first line of train.log
  std::string log_last;                // and its last
  std::vector<std::string> log_notes;  // its newest warnings and errors, kMaxLogNotes at most
  std::int64_t log_note_count = 0;     // and how many there are

  std::vector<std::string> problems;  // files that are there and cannot be read, and why

  static constexpr std::size_t kMaxLogNotes = 100;
};

// Reads what there is; what is damaged is named in `problems`. Throws Error if `folder` is no folder or holds
// nothing of a run.
RunRecord read_run(const std::filesystem::path& folder);

// The name of the run's folder, of "." and "run/" too.
std::string run_name(const RunRecord& run);

}  // namespace actionclip
