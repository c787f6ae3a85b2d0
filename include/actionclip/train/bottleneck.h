// What limited a run, from what its steps spent their time on, and what would shorten it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "actionclip/train/experiment.h"
#include "actionclip/video/load_seconds.h"

namespace actionclip {

// A step's seconds on one rank, or their mean over the ranks.
struct StepTimes {
  double whole = 0;
  double waiting = 0;        // of `whole`: for clips
  double communication = 0;  // of `whole`: for the network and slower ranks
  double cpu = 0;            // of all cores, as the process used them
  LoadSeconds load;          // of the rank's workers
};

// What the advice depends on.
struct RunSetup {
  std::int64_t workers = 0;        // data.num_workers: of each rank
  std::int64_t prefetch = 0;       // data.prefetch
  std::int64_t cores = 1;          // of this machine, as many as the process may use
  std::int64_t machine_ranks = 1;  // that share them
  bool full_precision = true;      // train.precision: fp32
  bool frame_folders = false;      // data.train.format: frames
};

RunSetup run_setup(const Experiment& experiment, std::int64_t machine_ranks);

class Bottleneck {
 public:
  static constexpr std::int64_t kLeastSteps = 20;  // of which something can be said

  explicit Bottleneck(const RunSetup& setup) : setup_(setup) {}

  // The first step is left out: it waits for the first clips however fast they come.
  void add(const StepTimes& step);

  struct Verdict {
    // reading, decoding, transforming, prefetching (clips that wait for the slowest of their batch while
    // workers stand still), communication or computing
    std::string limited_by;
    // Of the run's time; with that of computing, 1.
    double waiting = 0, communication = 0;
    std::string sentence;  // for people: the limit, its share, and what to change

    nlohmann::ordered_json to_json() const;
  };

  // None before kLeastSteps.
  std::optional<Verdict> verdict() const;

 private:
  Verdict verdict_of_loading(double waiting) const;
  std::string more_workers() const;

  RunSetup setup_;
  std::int64_t steps_ = 0;
  StepTimes sum_;
};

}  // namespace actionclip
