// A model of a few thousand numbers, videos that exist only in memory, and a cache of their features.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "actionclip/eval/classifier.h"
#include "actionclip/protocols/encode_features.h"
#include "actionclip/text/labels.h"

#include "tests/video/fake_videos.h"

namespace actionclip {

// Nine videos of nine labels, of which two cannot be decoded; two clips each; shards of four, batches of two.
struct FeatureCase {
  static constexpr std::int64_t kVideos = 9, kTemplates = 3;

  FeatureCase() {
    at::manual_seed(8);
    tokens = at::randint(1, 50, {kTemplates, kVideos, 6}, at::kLong);
    tokens[2][4] = tokens[0][4];  // a prompt that a label has twice
    const auto model = random_model();
    for (const auto& parameter : model->parameters()) parameters.push_back(parameter.detach().clone());
  }

  static ActionClip random_model() {
    return ActionClip(ActionClipConfig{
        .vision = {.image_size = 16, .patch_size = 8, .width = 64, .layers = 1, .heads = 1, .output_dim = 64},
        .text = {.context_length = 6,
                 .vocabulary_size = 50,
                 .width = 64,
                 .layers = 1,
                 .heads = 1,
                 .output_dim = 64},
        .fusion = {.type = FusionType::Transf, .width = 64, .layers = 1, .heads = 1, .frames = 4}});
  }

  // Always the same weights.
  ActionClip model() const {
    const at::NoGradGuard no_grad;
    auto copy = random_model();
    const auto own = copy->parameters();
    for (std::size_t i = 0; i < own.size(); ++i) at::Tensor(own[i]).copy_(parameters[i]);
    return copy;
  }

  Classifier classifier(Ensemble ensemble = Ensemble::mean_of_softmax) const {
    return Classifier(model(), tokens, Precision::fp32, ensemble);
  }

  static std::vector<std::string> labels() {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < kVideos; ++i) names.push_back(fmt::format("label {}", i));
    return names;
  }

  static ClipDatasetOptions clips() {
    auto options = fake_options();
    options.clips = 2;
    options.max_failed_share = 1;
    return options;
  }

  FeatureJob job(const std::filesystem::path& folder) const {
    return {.folder = folder,
            .identity = {.videos = kVideos,
                         .views = 2,
                         .batch_videos = 2,
                         .shard_videos = 4,
                         .keep_frames = true,
                         .origin = {{"tensors_sha256", "1234"}, {"precision", "fp32"}}},
            .list = fake_list(kVideos),
            .clips = clips(),
            .labels = labels(),
            .texts = {.templates = {"a {}", "{}", "{} b"},
                      .embeddings = classifier().text_embeddings(),
                      .tokens = tokens},
            .fetch = fake_frames(damaged)};
  }

  at::Tensor tokens;
  std::vector<at::Tensor> parameters;
  std::set<std::int64_t> damaged = {2, 7};
};

}  // namespace actionclip
