// Few-shot: fine-tune on K clips a class, test on other clips, for several K and seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/protocols/shot_options.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/trainer.h"

namespace actionclip {

// Top-1 of the runs of one K, in percent.
struct FewShotResult {
  std::int64_t shots = 0;
  std::vector<double> top1;  // by seed
  double mean = 0;
  double deviation = 0;              // sample standard deviation, 0 of one seed
  std::optional<double> margin;      // half the 95 % interval of the mean (margin_of()); none of one seed
  std::vector<std::int64_t> failed;  // by seed: test videos without a score, which count as wrong
  std::vector<std::int64_t> epochs;  // by seed: those that the dev part picked; empty: none did
};

struct FewShotReport {
  std::string list_sha256;                // VideoList::fingerprint() of data.test
  std::vector<std::int64_t> seeds;        // in the order of a row's values; K = 0 has one alone
  std::vector<FewShotResult> rows;        // by K
  std::optional<ProtocolMatch> protocol;  // of data.test
};

// Trains on data.train's chosen clips (choose_shots()) as `train:` says and scores data.test, once for each K
// and seed, each in a folder of `output`: the weights behind the last epoch, or of the epoch that was best on
// the dev part (choose_dev()), which is scored every eval.every_epochs, each epoch if that is 0. A batch of
// more clips than were chosen becomes one of them all, in no more parts than leave each as large as it was. A
// folder of `output` is re-used (a finished run) or gone on with if it holds the same settings, weights and
// lists (identity.json); what another run left is renamed to FOLDER.before-N. Of train.keep_checkpoints'
// default, a run keeps one, and the best. Writes few_shot.json and few_shot.svg. The outcome is
// stopped_by_signal if a signal (StopSignal) ended it; call it again to go on. Throws Error before anything
// is written if the settings, labels or lists do not serve: pre-training and lists of captions have no
// labels, a class has too few clips for a K and the dev part, or a chosen clip is in a test list
// (find_leaks()). Throws Error too at a folder that a run under way writes into, or that no run made.
TrainOutcome run_few_shot(const Experiment& experiment, const ShotOptions& options, FewShotReport& report);

// {"list_sha256", "seeds", "rows": [{"shots", "top1", "mean", "std", "interval95": [low, high] or null}],
// "protocol"}: with "failed" in a row where videos did, "epochs" in a row where a dev part picked them, and
// to_json() of the protocol where there is one.
nlohmann::ordered_json to_json(const FewShotReport& report);

// An aligned table with a bar a row: the curve over K.
std::string to_table(const FewShotReport& report);

}  // namespace actionclip
