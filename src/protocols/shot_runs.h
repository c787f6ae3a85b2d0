// Training runs on K clips a class, for several K and seeds: what few-shot and base-to-novel share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/shot_options.h"
#include "actionclip/text/labels.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

struct ShotProtocol {
  std::string name;                 // "few-shot"
  std::vector<std::string> scores;  // what `score` gives, as result.json names it
  Experiment experiment;         // of every run, but for its seed and its lists for training and validation
  LabelSet labels;               // that are trained on
  VideoList train;               // what clips are drawn from, its label ids those of `labels`
  std::vector<VideoList> tests;  // that no clip which is trained on may be in
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string identity;  // shot_identity()
  // Writes what else a run reads into its folder, and names it in the run's experiment; may be empty.
  std::function<void(const std::filesystem::path& folder, Experiment& run)> prepare;
  std::function<ShotRun(ActionClip& model)> score;  // all but the epoch
};

// Runs of one K, by seed.
struct ShotRuns {
  std::int64_t shots = 0;
  std::vector<ShotRun> runs;
};

// Throws ConfigError that names the key if the runs of `protocol` would have no label to draw clips by or to
// be scored on.
void check_shot_settings(const Experiment& experiment, std::string_view protocol);

// run_identity() of such runs: the dev part counts too.
std::string shot_identity(const Experiment& experiment, const ShotOptions& options, const VideoList& train,
                          const VideoList& test,
                          nlohmann::ordered_json more = nlohmann::ordered_json::object());

// What options.check_lists says of them; nothing without it.
std::vector<ProtocolMatch> check_lists(const ShotOptions& options, const std::vector<ScoredList>& lists);

// data.test, and the lists that `options` name beside it.
std::vector<VideoList> read_test_lists(const Experiment& experiment, const ShotOptions& options,
                                       const LabelSet& labels);

// Adds the top-1 of the model on a list with these labels to the scores of `run`, and what failed.
void score_top1(const Experiment& experiment, ActionClip& model,
                const std::shared_ptr<const Tokenizer>& tokenizer, const LabelSet& labels,
                const VideoList& list, ShotRun& run);

// The scores of all K and seeds, each run in the folder shots-K-seed-S of the output: an earlier call's, or
// of runs made now. Throws Error before anything is written if a class has too few clips, or a chosen clip is
// in a test list or, of the dev part, is trained on. stopped_by_signal: what is finished is in `results`.
TrainOutcome run_shots(const ShotProtocol& protocol, const ShotOptions& options,
                       std::vector<ShotRuns>& results);

// Whether any of the numbers is above 0.
bool has_failures(const std::vector<std::int64_t>& failed);

}  // namespace actionclip
