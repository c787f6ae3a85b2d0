// The writing half of a feature cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/core/folder_lock.h"
#include "actionclip/protocols/feature_cache.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// Makes the folder, or takes one of the same identity over, for this process alone while the lock lives.
// Throws Error as encode_features() does.
[[nodiscard]] FolderLock claim_feature_folder(const std::filesystem::path& folder,
                                              const FeatureIdentity& identity);

// Whether a shard is whole.
bool has_shard(const std::filesystem::path& folder, std::int64_t shard);

// Collects the features of consecutive videos and writes each shard once it is full.
class ShardWriter {
 public:
  // `shards`: those to be written, in ascending order.
  ShardWriter(std::filesystem::path folder, FeatureIdentity identity, std::vector<std::int64_t> shards);

  // The next videos: videos [B, V, D], frames [B, V, T, D] where they are kept, errors [B] of decoding
  // (empty: none). All of one shard. Throws Error where fp16 cannot hold a feature.
  void add(const at::Tensor& videos, const at::Tensor& frames, const std::vector<std::string>& errors);

 private:
  void write();

  const std::filesystem::path folder_;
  const FeatureIdentity identity_;
  std::vector<std::int64_t> shards_;  // not written yet; the last one is next
  std::vector<at::Tensor> videos_, frames_;
  std::map<std::int64_t, std::string> failures_;  // by row of the shard
  std::int64_t rows_ = 0;
};

void write_texts(const std::filesystem::path& folder, const CachedTexts& texts,
                 const std::vector<std::string>& labels);

// The last file. Throws Error that names a shard that is missing or damaged.
void write_index(const std::filesystem::path& folder, const FeatureIdentity& identity, const VideoList& list,
                 const std::vector<std::string>& labels);

// The path of an entry as its list gives it: relative to the list's root, absolute if it does not lie below.
std::filesystem::path listed_path(const VideoList& list, const VideoEntry& entry);

}  // namespace actionclip
