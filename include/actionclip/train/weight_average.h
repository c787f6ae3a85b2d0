// A running average of the weights that learn and of running statistics (exponential; Polyak and Juditsky
// 1992): what is evaluated in training when it is kept (train.ema_decay), and saved beside the weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/weights/state_dict.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {

class WeightAverage {
 public:
  // Begins at the values that `parameters`, of floating types, have now.
  WeightAverage(double decay, NamedTensors parameters);

  // Takes in the parameters' values behind an optimiser step:
  //   average = d average + (1 - d) parameter,   d = min(decay, (1 + t) / (10 + t))
  // at the update t = 0, 1, ...: so the start, which has learnt nothing, is soon forgotten.
  void update();

  // Exchanges the values of the average and the parameters.
  void swap();

  // The average's own tensors.
  std::vector<at::Tensor> tensors() const { return average_; }

  // The average by the names of the parameters, shared.
  StateDict state_dict() const;

  // Goes on from a saved average after `updates`; tensors of other names are not looked at. Throws
  // WeightsError for one that is missing or of another shape.
  void load(const StateDict& tensors, std::int64_t updates);

  std::int64_t updates() const { return updates_; }

 private:
  double decay_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_, average_;
  std::int64_t updates_ = 0;
};

// While it lives, the parameters hold their average, which may be none (null).
class AveragedWeights {
 public:
  explicit AveragedWeights(WeightAverage* average);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
};

}  // namespace actionclip
