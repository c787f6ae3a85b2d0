// Heads on cached features, over the number of training clips, seeds and weight decays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/protocols/ensemble_sweep.h"
#include "actionclip/protocols/feature_cache.h"
#include "actionclip/protocols/feature_heads.h"

namespace actionclip {

struct HeadSweepOptions {
  std::vector<std::int64_t> shots = {1, 2, 4, 8, 16};  // K clips a class
  std::vector<std::int64_t> seeds = {1, 2, 3};
  std::vector<double> l2 = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2};
  TipAdapterOptions tip;
};

// One head, over the seeds where there are any.
struct HeadRow {
  std::string head;                     // "linear_probe", "nearest_mean", "tip_adapter"
  std::int64_t shots = 0;               // K; 0: all training clips
  double l2 = 0;                        // of a linear probe
  std::vector<TopAccuracy> accuracies;  // by seed
};

// Linear probes on all of `train`, then for each K nearest means, Tip-Adapter (where there are texts) and
// linear probes on the clips that choose_shots() draws, as `actionclip few-shot` does. Scored on `test`,
// where failed videos count as wrong. Training clips that failed are left out, with a warning. Throws Error
// if the two are of other labels or weights, videos have several labels, or a class has fewer than K clips.
std::vector<HeadRow> sweep_heads(const CachedFeatures& train, const CachedFeatures& test,
                                 const HeadSweepOptions& options);

}  // namespace actionclip
