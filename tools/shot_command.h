// What few-shot and base-to-novel share: their options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/protocols/shot_options.h"

#include "tools/command.h"
#include "tools/protocol_option.h"

namespace actionclip {

// What is scored at a time of data.test.
enum class TestVideos { all, in_parts };

struct ShotCommandOptions {
  ExperimentOptions experiment;
  std::string weights;
  std::string output;
  std::vector<std::string> manifests;
  std::vector<std::string> against;
  ProtocolOptions protocol;
  bool json = false;

  // `runs` is where --shots, --seeds and --dev go, and holds their defaults; it must live as long as the
  // command.
  void add_to(CLI::App& command, ShotOptions& runs);

  // The experiment, with --weights, and `runs` completed. Throws UsageError on a number that is given twice.
  Experiment load(ShotOptions& runs, TestVideos scored);
};

}  // namespace actionclip
