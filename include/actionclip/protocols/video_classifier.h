// From weights and labels to ranked labels of videos: all that another program needs.
//
//   actionclip::VideoClassifier classifier("k400_vit_b16.pt", actionclip::read_labels("labels.csv"));
//   for (const auto& [label, probability, similarity] : classifier.classify("clip.mp4").predictions) ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "actionclip/eval/classifier.h"
#include "actionclip/eval/config.h"
#include "actionclip/eval/prediction.h"
#include "actionclip/eval/text_cache.h"
#include "actionclip/model/config.h"
#include "actionclip/text/labels.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

struct VideoClassifierOptions {
  // Each a file; empty: what the weights were trained with where they say it, else the method's templates, no
  // descriptions, CLIP's vocabulary.
  std::filesystem::path templates, descriptions, vocabulary;
  bool truncate = false;  // texts that are longer than the context, as those of weights that were trained so
  Ensemble ensemble = Ensemble::mean_of_softmax;
  TextCache text_cache;  // of the labels' embeddings; none by default
  c10::Device device = c10::kCPU;
};

// Not thread-safe: one thread calls it.
class VideoClassifier {
 public:
  // `weights`: a file or folder of any scheme that load_weights() reads. `labels`: any, or none for those
  // that the weights were trained on. Throws Error (WeightsError for weights) if something is missing,
  // damaged, or does not fit the rest.
  explicit VideoClassifier(const std::filesystem::path& weights, const std::optional<LabelSet>& labels = {},
                           const VideoClassifierOptions& options = {});

  // The same of weights in memory, which are taken.
  explicit VideoClassifier(LoadedWeights weights, const std::optional<LabelSet>& labels = {},
                           const VideoClassifierOptions& options = {});

  // All labels, most probable first, of a video file, an image or a folder of frames (prediction.h). One that
  // cannot be decoded has `error` instead.
  Prediction classify(const std::filesystem::path& video);

  const std::vector<std::string>& labels() const { return labels_.names(); }
  const ActionClipConfig& model() const { return model_; }
  std::int64_t test_resize() const { return test_resize_; }  // short side of a frame before the crop
  Classifier& classifier() { return *classifier_; }

 private:
  LabelSet labels_;
  ActionClipConfig model_;
  std::int64_t test_resize_ = 0;
  std::optional<Classifier> classifier_;
};

}  // namespace actionclip
