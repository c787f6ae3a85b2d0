// What few-shot and base-to-novel share: their options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/protocols/shot_options.h"

#include "tools/command.h"

namespace actionclip {

struct ShotCommandOptions {
  ExperimentOptions experiment;
  std::string weights;
  std::string output;
  std::vector<std::string> manifests;
  std::vector<std::string> against;
  bool json = false;

  // `runs` is where --shots, --seeds and --dev go, and holds their defaults; it must live as long as the
  // command.
  void add_to(CLI::App& command, ShotOptions& runs);

  // The experiment, with --weights, and `runs` completed. Throws UsageError on a number that is given twice.
  Experiment load(ShotOptions& runs);
};

}  // namespace actionclip
