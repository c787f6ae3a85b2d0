// Names in the folder of a feature cache, and the files that both the writer and the reader know.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "actionclip/protocols/feature_cache.h"

namespace actionclip {

inline constexpr const char* kIdentityFile = "identity.json";
inline constexpr const char* kIndexFile = "index.json";
inline constexpr const char* kTextsFile = "texts.safetensors";
inline constexpr const char* kVideoFeatures = "video_features";
inline constexpr const char* kFrameFeatures = "frame_features";
inline constexpr const char* kTextEmbeddings = "text_embeddings";
inline constexpr const char* kTokens = "tokens";
// Keys of the metadata of safetensors files; the values are JSON.
inline constexpr const char* kFailuresEntry = "failures";  // {"ROW": "reason"}
inline constexpr const char* kTemplatesEntry = "templates";
inline constexpr const char* kLabelsEntry = "labels";

std::filesystem::path video_shard_file(const std::filesystem::path& folder, std::int64_t shard);
std::filesystem::path frame_shard_file(const std::filesystem::path& folder, std::int64_t shard);

std::string identity_text(const FeatureIdentity& identity);

// Throws Error that names the file if it is damaged.
FeatureIdentity read_identity(const std::filesystem::path& folder);

// The settings that differ: "precision (bf16, now fp32), views (3, now 1)"; empty: none.
std::string differences(const FeatureIdentity& found, const FeatureIdentity& wanted);

struct FeatureShard {
  at::Tensor features;                           // [n, V, D] or [n, V, T, D], as it is stored
  std::map<std::int64_t, std::string> failures;  // why, by row
};

// Throws Error that names the file unless it is the shard that `identity` says.
FeatureShard read_shard(const std::filesystem::path& file, const char* tensor,
                        const FeatureIdentity& identity, std::int64_t shard);

}  // namespace actionclip
