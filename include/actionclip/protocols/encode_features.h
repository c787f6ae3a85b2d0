// Fills the folder of a feature cache (feature_cache.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "actionclip/distributed/process_group.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/protocols/feature_cache.h"
#include "actionclip/video/dataset.h"

namespace actionclip {

struct FeatureJob {
  std::filesystem::path folder;
  FeatureIdentity identity;
  VideoList list;  // of identity.videos entries
  ClipDatasetOptions clips;
  std::int64_t views_at_once = 0;  // as Classifier::encode_videos() takes it
  std::int64_t workers = 0, prefetch = 2;
  std::vector<std::string> labels;
  CachedTexts texts;                         // none of a linear classifier
  ClipDataset::FetchFrames fetch = nullptr;  // as ClipDataset's
};

// Encodes the videos whose shards the folder does not have yet, then writes texts and index: stopped at any
// time, the same call goes on behind the last whole shard. Of N ranks, which must share the folder, rank r
// encodes shards r, r + N ...; a batch holds the same videos whatever their number. Throws Error if the
// folder is another's: it holds other files, features of another identity (the settings that differ are
// named), or another process is filling it; and if too many videos fail (ClipDatasetOptions::max_failed_share
// of the list, counted in this call).
void encode_features(Classifier& classifier, const FeatureJob& job,
                     const std::shared_ptr<ProcessGroup>& group = std::make_shared<SingleProcess>());

}  // namespace actionclip
