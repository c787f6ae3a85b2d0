// Features that no model has encoded, in memory.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/feature_cache.h"

namespace actionclip {

// Video i is of label i % classes; features and texts are drawn from `seed`. The texts are near each other,
// as those of real labels are: of texts far apart the probabilities would be 0 and 1, and views would tie.
inline CachedFeatures random_features(std::int64_t videos, std::int64_t classes, std::uint64_t seed,
                                      std::int64_t views = 1, std::int64_t width = 8) {
  at::manual_seed(seed);
  CachedFeatures features{
      .folder = "cache",
      .identity = {.videos = videos, .views = views, .batch_videos = 4, .shard_videos = 4},
      .labels = {},
      .videos = {},
      .video_features = at::randn({videos, views, width}),
      .texts = {.templates = {"a {}", "{}", "{} b"},
                .embeddings = l2_normalize(at::randn({width}) + 0.1 * at::randn({3, classes, width})),
                .tokens = at::randint(0, 1000, {3, classes, 5}, at::kLong)}};
  for (std::int64_t c = 0; c < classes; ++c) features.labels.push_back(fmt::format("label {}", c));
  for (std::int64_t i = 0; i < videos; ++i) {
    features.videos.push_back({.path = fmt::format("{}.mp4", i),
                               .label_ids = {static_cast<std::int32_t>(i % classes)},
                               .failure = ""});
  }
  return features;
}

inline void fail_video(CachedFeatures& features, std::int64_t video) {
  features.videos[static_cast<std::size_t>(video)].failure = "damaged";
  features.video_features[video].fill_(NAN);
}

}  // namespace actionclip
