// An experiment whose model has one layer a part, on frame folders listed in list.txt with labels in
// labels.txt.
#pragma once

#include <filesystem>

#include "actionclip/train/experiment.h"

#include "tests/random_model.h"

namespace actionclip {

inline Experiment tiny_experiment(const std::filesystem::path& folder) {
  Experiment result;
  result.model = random_model({});
  auto& data = result.data;
  data.train.list.path = folder / "list.txt";
  data.train.format = ListFormat::frames;
  data.labels.path = folder / "labels.txt";
  data.num_workers = 0;
  result.train.schedule.warmup_epochs = 0;
  return result;
}

}  // namespace actionclip
