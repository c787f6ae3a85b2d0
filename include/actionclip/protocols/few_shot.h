// Few-shot: fine-tune on K clips a class, test on other clips, for several K and seeds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <nlohmann/json_fwd.hpp>

#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"

namespace actionclip {

struct FewShotOptions {
  std::vector<std::int64_t> shots = {1, 2, 4, 8, 16};  // K; 0: the weights as they are (zero-shot)
  std::vector<std::int64_t> seeds = {1, 2, 3};
  std::filesystem::path output;
  c10::Device device = c10::kCPU;
};

// Top-1 of the runs of one K, in percent.
struct FewShotResult {
  std::int64_t shots = 0;
  std::vector<double> top1;  // by seed
  double mean = 0;
  double deviation = 0;  // sample standard deviation, 0 of one seed
};

// The K clips of each class, as indices into the list, drawn by (seed, class): a larger K contains a smaller
// one's clips. Throws Error naming a class that has fewer than K, or a line whose label id is not in
// [0, classes).
std::vector<std::int64_t> choose_shots(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                       std::int64_t seed);

// Trains on data.train's chosen clips as `train:` says and scores data.test, once for each K and seed, each
// in a folder of `output`. A batch of more clips than were chosen becomes one of them all, in no more parts
// than leave each as large as it was. A folder of `output` is re-used (a finished run) or gone on with if it
// holds the same settings, weights and lists (identity.json); what another run left is renamed to
// FOLDER.before-N. Of train.keep_checkpoints' default, a run keeps one. Writes few_shot.json. The outcome is
// stopped_by_signal if a signal (StopSignal) ended it; call it again to go on. Throws Error before anything
// is written if the settings, labels or lists do not serve: pre-training and lists of captions have no
// labels, or a class has too few clips for a K. Throws Error too at a folder that a run under way writes
// into, or that no run made.
TrainOutcome run_few_shot(const Experiment& experiment, const FewShotOptions& options,
                          std::vector<FewShotResult>& results);

// [{"shots", "top1", "mean", "std"}].
nlohmann::ordered_json to_json(const std::vector<FewShotResult>& results);

// An aligned table with a bar a row: the curve over K.
std::string to_table(const std::vector<FewShotResult>& results);

}  // namespace actionclip
