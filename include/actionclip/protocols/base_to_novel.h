// Base-to-novel: fine-tune on K clips of each base class, test on the base classes and, apart from them, on
// the novel ones, which no run has seen (Zhou et al. 2022, CoCoOp; of videos Rasheed et al. 2023, ViFi-CLIP).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/protocols/shot_options.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"

namespace actionclip {

struct BaseToNovelOptions {
  ShotOptions runs = {.shots = {16}};
  std::filesystem::path base_labels, novel_labels;  // label files; empty: as split_labels() has it
};

// A score of the runs of one K, in percent.
struct ScoreOverSeeds {
  std::vector<double> values;  // by seed
  double mean = 0;
  double deviation = 0;          // sample standard deviation, 0 of one seed
  std::optional<double> margin;  // half the 95 % interval of the mean (margin_of()); none of one seed
};

struct BaseToNovelRow {
  std::int64_t shots = 0;
  ScoreOverSeeds base, novel;        // top-1 among the labels of that half
  ScoreOverSeeds harmonic;           // of each run's two
  double harmonic_of_means = 0;      // of the means of both, as published tables have it
  std::vector<std::int64_t> failed;  // by seed: test videos without a score, which count as wrong
  std::vector<std::int64_t> epochs;  // by seed: those that the dev part picked; empty: none did
};

struct BaseToNovelResult {
  std::vector<std::string> base_labels, novel_labels;
  std::int64_t base_videos = 0, novel_videos = 0;  // of the test
  std::string list_sha256;                         // VideoList::fingerprint() of data.test
  std::vector<std::int64_t> seeds;                 // in the order of a score's values; K = 0 has one
  std::vector<BaseToNovelRow> rows;                // by K
  std::vector<ProtocolMatch> protocols;            // of the test videos of both; empty: of none
};

// 2 a b / (a + b); 0 if both are 0.
double harmonic_mean(double a, double b);

// Trains on data.train's clips of the base classes, chosen as few-shot does, and scores data.test's videos of
// the base classes among the base labels and those of the novel classes among the novel labels. Folders,
// epochs, leaks and signals are as run_few_shot() has them; a run's folder also holds the base labels
// (labels.csv). Writes base_to_novel.json and base_to_novel.svg. eval.group_by and eval.pair_by are not used.
// Warns where the weights say that they were trained on novel labels. Throws Error before anything is written
// as run_few_shot() and split_labels() do, if a half has no test video, or for a model that knows its own
// labels alone (model.classifier, model.context.class_specific).
TrainOutcome run_base_to_novel(const Experiment& experiment, const BaseToNovelOptions& options,
                               BaseToNovelResult& result);

// {"base_labels", "novel_labels", "base_videos", "novel_videos", "list_sha256", "seeds", "rows":
// [{"shots", "base", "novel", "harmonic": {"values", "mean", "std", "interval95"}, "harmonic_of_means"}]},
// with "failed" in a row where videos did, "epochs" in a row where a dev part picked them, and with
// "protocols" (to_json() of each) where there are any.
nlohmann::ordered_json to_json(const BaseToNovelResult& result);

// An aligned table, a row a K.
std::string to_table(const BaseToNovelResult& result);

}  // namespace actionclip
