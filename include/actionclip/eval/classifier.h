// Videos x label sentences -> scores: the method's test procedure (ActionCLIP, section 3.1). Of a model that
// ends in a linear classifier, videos -> scores of the labels that it was trained on.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "actionclip/eval/config.h"
#include "actionclip/eval/text_cache.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/model/config.h"

namespace actionclip {

// Scores of B videos for C classes, on the CPU in fp32. Means over prompts are of the P given ones, or of the
// one that Ensemble::mean_embedding makes of them. A linear classifier has logits of its own in place of
// 100 * cosine and of the cosine, and no prompts.
struct ClassScores {
  at::Tensor probabilities;  // [B, C]: mean over views and prompts of softmax over classes of 100 * cosine
  at::Tensor similarities;   // [B, C]: mean over views and prompts of the cosine
};

// Features of B videos, not normalised, where the model computes.
struct VideoFeatures {
  at::Tensor videos;  // [B, V, D], after the fusion head
  at::Tensor frames;  // [B, V, T, D], before it, where asked for; T = 1 with joint space-time attention
};

// Why a video counts as failed whose scores hold NaN or infinity, as those of a model that has diverged do.
inline constexpr const char* kScoresNotFinite = "scores are not finite";

class Classifier {
 public:
  // Encodes the prompts once, unless `cache` has them: tokens [P, C, L] (prompt p of label c), and with a
  // learned context placeholders [C, M] and label_ids [C]. The model is put into evaluation mode by each
  // call. mean_embedding: the mean of a class's normalised embeddings, normalised again; a prompt that a
  // class has several times counts once. Where the model has a linear classifier, no prompt is read. Throws
  // Error for a token that the model's vocabulary does not have, prompts that have no place for the model's
  // context, and other labels than a class-specific context or a linear classifier has.
  Classifier(ActionClip model, const TextInput& prompts, Precision precision = Precision::fp32,
             Ensemble ensemble = Ensemble::mean_of_softmax, const TextCache& cache = {});

  // clips [B, V, T, 3, S, S] uint8. At most `views_at_once` (0: all) of the B x V views go through the model
  // in one forward: that bounds the memory, and changes the scores by rounding only. By ViewAverage::logits
  // the mean over views is of the cosines (logits), inside the softmax.
  ClassScores classify(const at::Tensor& clips, std::int64_t views_at_once = 0,
                       ViewAverage average = ViewAverage::probabilities);

  // The same of video features [B, V, D], as encode_video() gives them, on its device.
  ClassScores score(const at::Tensor& features, ViewAverage average = ViewAverage::probabilities);

  // [C, D]: what the scalar product with a normalised feature gives the similarities of: of a label, the mean
  // of its prompts' embeddings. A linear classifier's weights, which with its biases and a feature that is
  // not normalised give the logits.
  at::Tensor label_directions();

  ActionClip model() const { return model_; }
  bool is_linear() const { return model_->config().classes > 0; }

  // What classify() scores.
  VideoFeatures encode_videos(const at::Tensor& clips, std::int64_t views_at_once = 0,
                              bool keep_frames = false);

  // Of the prompts: [P, C, D] or, of mean_embedding, [1, C, D]; normalised, on the model's device. Undefined
  // where the model has a linear classifier.
  const at::Tensor& text_embeddings() const { return text_embeddings_; }

  // Where it computes.
  c10::Device device() const { return model_->device(); }

 private:
  void encode(const TextInput& prompts, Ensemble ensemble, const TextCache& cache);

  ActionClip model_;
  Precision precision_;
  at::Tensor text_embeddings_;
};

}  // namespace actionclip
