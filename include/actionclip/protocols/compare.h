// Runs side by side, and whether what they differ by is more than chance. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/figures.h"
#include "actionclip/protocols/run_record.h"

namespace actionclip {

// What a table of runs has of each. None: the run's folder does not tell.
struct RunSummary {
  std::string name;
  // Of the figures: "evaluation.json", "validation of epoch 12", "zero-shot, 3 split(s)", "few-shot, 16 clips
  // a class", "base to novel, 16 clips a class" (their harmonic mean); empty: there are none.
  std::string source;
  std::string arch;
  std::optional<std::int64_t> frames;
  std::optional<std::int64_t> epochs;
  std::optional<double> lr;
  std::optional<double> top1, top5, map;  // percent
  std::optional<Interval> interval;       // 95 %, of top-1, or of mAP
  std::optional<double> loss;
  std::optional<double> videos_per_second;  // of training: the median over the steps
};

RunSummary summarize(const RunRecord& run);

// Two runs on the same videos.
struct RunDifference {
  std::size_t first = 0, second = 0;  // places among the runs
  std::string scored;                 // what they were scored on; empty: the videos of `evaluate`
  std::vector<Figure> figures;        // what the second has more, in points, with paired intervals
  std::string unknown;                // why there are none: a sentence
};

// Of each pair, the first before the second, one for each thing that both were scored on: by a paired
// bootstrap where the folders hold the scores of the same videos (of `evaluate`, and of each split of
// `zero-shot`), and of few-shot and base-to-novel runs, for each K, by Student's t over the seeds of both.
// One that is unknown where there is none.
std::vector<RunDifference> differences_of(const std::vector<RunRecord>& runs);

// {"runs": [{"run", "source", "arch", ...}], "differences": [{"first", "second", "scored",
// "figures": [{"figure", "difference", "interval", "more_than_chance"}]} or {..., "unknown"}]}; what is not
// known is null.
nlohmann::ordered_json to_json(const std::vector<RunSummary>& runs,
                               const std::vector<RunDifference>& differences);

}  // namespace actionclip
