// An experiment whose model has one layer a part, on frame folders listed in list.txt with labels in
// labels.txt.
#pragma once

#include <filesystem>

#include "actionclip/train/experiment.h"

namespace actionclip {

inline Experiment tiny_experiment(const std::filesystem::path& folder) {
  Experiment result;
  auto& model = result.model;
  model.arch = "custom";
  model.init = {.image = InitSource::random, .text = InitSource::random};
  model.frames = 2;
  model.fusion_layers = 1;
  model.embed_dim = 64;
  model.vision = {.image_size = 16, .patch_size = 8, .width = 64, .layers = 1, .heads = 1};
  model.text = {.context_length = 16, .vocabulary_size = 49408, .width = 64, .layers = 1, .heads = 1};
  auto& data = result.data;
  data.train.list.path = folder / "list.txt";
  data.train.format = ListFormat::frames;
  data.labels.path = folder / "labels.txt";
  data.num_workers = 0;
  result.train.schedule.warmup_epochs = 0;
  return result;
}

}  // namespace actionclip
