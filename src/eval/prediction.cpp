#include "actionclip/eval/prediction.h"

#include <algorithm>

#include <ATen/ops/isfinite.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"

namespace actionclip {
namespace {

bool all_finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

}  // namespace

TestClip load_test_clip(const std::filesystem::path& video, const ActionClipConfig& model,
                        std::int64_t test_resize) {
  const auto source = open_frames(video);
  const auto size = model.vision.image_size;
  source->set_view({.resize = test_resize, .input_size = size, .crops = 1});
  TestClip clip;
  clip.frame_count = source->frame_count();
  clip.indices = sample_test_frames(clip.frame_count, model.fusion.frames);
  clip.frames = test_transform(source->read(clip.indices), test_resize, size, 1)[0];
  clip.seconds = source->seconds_of(clip.indices);
  return clip;
}

Prediction rank_labels(const std::filesystem::path& video, const std::vector<std::string>& labels,
                       const ClassScores& scores) {
  Prediction prediction{.video = video.string()};
  if (!all_finite(scores.probabilities) || !all_finite(scores.similarities)) {
    prediction.error = kScoresNotFinite;
    return prediction;
  }
  for (std::int64_t id = 0; id < static_cast<std::int64_t>(labels.size()); ++id) {
    prediction.predictions.push_back(
        {labels[id], scores.probabilities[0][id].item<double>(), scores.similarities[0][id].item<double>()});
  }
  std::stable_sort(prediction.predictions.begin(), prediction.predictions.end(),
                   [](const RankedLabel& a, const RankedLabel& b) { return a.probability > b.probability; });
  return prediction;
}

Prediction predict(Classifier& classifier, const std::vector<std::string>& labels,
                   const ActionClipConfig& model, std::int64_t test_resize,
                   const std::filesystem::path& video) {
  TestClip clip;
  try {
    clip = load_test_clip(video, model, test_resize);
  } catch (const VideoError& problem) {
    return {.video = video.string(), .error = problem.what()};
  }
  return rank_labels(video, labels, classifier.classify(clip.frames.unsqueeze(0).unsqueeze(0)));
}

nlohmann::ordered_json to_json(const Prediction& prediction) {
  nlohmann::ordered_json json = {{"video", prediction.video}};
  if (!prediction.error.empty()) {
    json["error"] = prediction.error;
    return json;
  }
  json["predictions"] = nlohmann::ordered_json::array();
  for (const auto& [label, probability, similarity] : prediction.predictions) {
    json["predictions"].push_back(
        {{"label", label}, {"probability", probability}, {"similarity", similarity}});
  }
  return json;
}

}  // namespace actionclip
