// Videos x label sentences -> scores: the method's test procedure (ActionCLIP, section 3.1).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/model/config.h"

namespace actionclip {

// Scores of B videos for C classes, on the CPU in fp32.
struct ClassScores {
  at::Tensor probabilities;  // [B, C]: mean over views and templates of softmax over classes of 100 * cosine
  at::Tensor similarities;   // [B, C]: mean over views and templates of the cosine
};

// Why a video counts as failed whose scores hold NaN or infinity, as those of a model that has diverged do.
inline constexpr const char* kScoresNotFinite = "scores are not finite";

class Classifier {
 public:
  // Encodes the prompts once. tokens [P, C, L] int64: template p filled with label c. The model is put into
  // evaluation mode by each call. Throws Error for a token that the model's vocabulary does not have.
  Classifier(ActionClip model, const at::Tensor& tokens, Precision precision = Precision::fp32);

  // clips [B, V, T, 3, S, S] uint8. At most `views_at_once` (0: all) of the B x V views go through the model
  // in one forward: that bounds the memory, and changes the scores by rounding only.
  ClassScores classify(const at::Tensor& clips, std::int64_t views_at_once = 0);

  // Where it computes.
  c10::Device device() const { return model_->device(); }

 private:
  ActionClip model_;
  Precision precision_;
  at::Tensor text_embeddings_;  // [P, C, D], normalised, on the model's device
};

}  // namespace actionclip
