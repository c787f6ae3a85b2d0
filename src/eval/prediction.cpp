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

// One centre view: uint8 [1, 1, T, 3, S, S].
at::Tensor load_clip(const std::filesystem::path& video, const ActionClipConfig& model,
                     std::int64_t test_resize) {
  const auto source = open_frames(video);
  source->set_view({.resize = test_resize, .input_size = model.vision.image_size, .crops = 1});
  const auto indices = sample_test_frames(source->frame_count(), model.fusion.frames);
  const auto images = source->read(indices);
  return test_transform(images, test_resize, model.vision.image_size, 1).unsqueeze(0);
}

bool all_finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

}  // namespace

Prediction predict(Classifier& classifier, const std::vector<std::string>& labels,
                   const ActionClipConfig& model, std::int64_t test_resize,
                   const std::filesystem::path& video) {
  Prediction prediction{.video = video.string()};
  at::Tensor clip;
  try {
    clip = load_clip(video, model, test_resize);
  } catch (const VideoError& problem) {
    prediction.error = problem.what();
    return prediction;
  }
  const auto scores = classifier.classify(clip);
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
