// A split's videos as features: encoded once, kept in a folder, and swept over without a model.
//
// The folder holds
//   identity.json              what the features depend on; written first
//   videos-00000.safetensors   `video_features` [n, V, D] of the first n videos of the list, and so on; a
//                              failed video's are NaN, and the metadata say why
//   frames-00000.safetensors   `frame_features` [n, V, T, D] of the same videos, where they are kept
//   texts.safetensors          `text_embeddings` [P, C, D] and `tokens` [P, C, L] of the prompts; the
//                              metadata name templates and labels. None of a linear classifier
//   index.json                 labels, and path, label ids and failure of each video; written last, so that a
//                              folder without it is not finished
// Each file appears whole or not at all. Labels and texts are written anew by each run; the shards, which do
// not depend on them, stay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/eval/video_scores.h"

namespace actionclip {

// What the shards depend on.
struct FeatureIdentity {
  std::int64_t videos = 0;                    // N
  std::int64_t views = 1;                     // V
  std::int64_t batch_videos = 1;              // of one forward: beside others, features differ by rounding
  std::int64_t shard_videos = 1;              // of a whole shard: a multiple of batch_videos
  bool half = false;                          // kept as fp16, else as fp32
  bool keep_frames = false;                   // frame features too
  std::map<std::string, std::string> origin;  // "tensors_sha256", "list_sha256", "sampling", "precision" ...

  std::int64_t shards() const { return (videos + shard_videos - 1) / shard_videos; }
  std::int64_t videos_before(std::int64_t shard) const;  // the first video of a shard
};

// Embeddings of the prompts, in fp32 on the CPU.
struct CachedTexts {
  std::vector<std::string> templates;  // each stands for P / templates.size() prompts, one after the other
  at::Tensor embeddings;               // [P, C, D], normalised; undefined: there are none
  at::Tensor tokens;                   // [P, C, L] int64: which prompts of a class are the same

  bool empty() const { return !embeddings.defined(); }
};

struct CachedFeatures {
  std::filesystem::path folder;
  FeatureIdentity identity;
  std::vector<std::string> labels;  // C
  std::vector<ScoredVideo> videos;  // N, in the list's order
  at::Tensor video_features;        // [N, V, D] fp32 on the CPU, not normalised
  CachedTexts texts;
};

// Reads a finished folder. Throws Error that names the file for one that is not finished, is damaged, or
// whose files do not fit each other.
CachedFeatures read_features(const std::filesystem::path& folder);

// [N, V, T, D] fp32. Throws Error as read_features() does, and where frame features are not kept.
at::Tensor read_frame_features(const CachedFeatures& features);

// The label of each video: int64 [N]. Throws Error that names the first video of several labels, or of none,
// for what (`who`) takes one label a video.
at::Tensor single_labels(const CachedFeatures& features, const std::string& who);

}  // namespace actionclip
