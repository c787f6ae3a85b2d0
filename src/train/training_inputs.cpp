#include "actionclip/train/training_inputs.h"

namespace actionclip {

TrainingInputs read_training_inputs(const Experiment& experiment) {
  const auto& data = experiment.data;
  require_list(data.train, "train");
  TrainingInputs inputs{.tokenizer = make_tokenizer(experiment.text)};
  if (experiment.train.task != TrainTask::pretrain) inputs.labels = read_labels(data.labels.path);
  inputs.videos = read_video_list(data.train, inputs.labels ? &*inputs.labels : nullptr);
  return inputs;
}

}  // namespace actionclip
