// What a training reads beside its settings and its weights.
#pragma once

#include <memory>
#include <optional>

#include "actionclip/text/labels.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/train/experiment.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

struct TrainingInputs {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<LabelSet> labels;  // none: captions stand for them (train.task: pretrain)
  VideoList videos = VideoList();  // of data.train
  // Where their frames come from; none: from the files that the list names.
  ClipDataset::FetchFrames fetch_frames = nullptr;
};

// From the files that the settings name. Throws ConfigError without data.train.list, and Error for a file
// that cannot be used.
TrainingInputs read_training_inputs(const Experiment& experiment);

}  // namespace actionclip
