#include "protocols/feature_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "protocols/feature_files.h"

namespace actionclip {
namespace {

bool is_occupied(const std::filesystem::path& folder) {
  const auto entries = std::filesystem::directory_iterator(folder);
  return std::any_of(begin(entries), end(entries),
                     [](const auto& entry) { return entry.path().filename() != ".lock"; });
}

// [B]: whether all numbers of a row are finite.
at::Tensor finite_rows(const at::Tensor& rows) { return at::isfinite(rows).flatten(1).all(1); }

at::Tensor as_stored(const at::Tensor& features, bool half) {
  return features.to(at::kCPU, half ? at::kHalf : at::kFloat);
}

}  // namespace

FolderLock claim_feature_folder(const std::filesystem::path& folder, const FeatureIdentity& identity) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) throw Error(fmt::format("cannot create the folder {}: {}", folder.string(), code.message()));
  FolderLock lock(folder);
  remove_leftovers_in(folder);
  if (std::filesystem::exists(folder / kIdentityFile)) {
    const auto different = differences(read_identity(folder), identity);
    if (different.empty()) return lock;
    throw Error(fmt::format("{} holds features of other settings: {}; remove it or choose another folder",
                            folder.string(), different));
  }
  if (is_occupied(folder)) {
    throw Error(fmt::format("{} is no folder of features (it has no {}): choose another one", folder.string(),
                            kIdentityFile));
  }
  write_file_atomically(folder / kIdentityFile, identity_text(identity));
  return lock;
}

// The features of the videos are written behind those of the frames.
bool has_shard(const std::filesystem::path& folder, std::int64_t shard) {
  return std::filesystem::exists(video_shard_file(folder, shard));
}

ShardWriter::ShardWriter(std::filesystem::path folder, FeatureIdentity identity,
                         std::vector<std::int64_t> shards)
    : folder_(std::move(folder)), identity_(std::move(identity)), shards_(std::move(shards)) {
  std::ranges::reverse(shards_);
}

void ShardWriter::add(const at::Tensor& videos, const at::Tensor& frames,
                      const std::vector<std::string>& errors) {
  auto stored = as_stored(videos, identity_.half);
  const auto finite = finite_rows(videos.cpu()), storable = finite_rows(stored);
  // A zero has no direction, and so no finite score.
  const auto scored = finite_rows(l2_normalize(stored));
  for (std::int64_t row = 0; row < videos.size(0); ++row) {
    auto failure = errors[static_cast<std::size_t>(row)];
    if (failure.empty() && finite[row].item<bool>() && !storable[row].item<bool>())
      throw Error("a feature is too large for fp16: keep the features as fp32");
    if (failure.empty() && !scored[row].item<bool>()) failure = kScoresNotFinite;
    if (failure.empty()) continue;
    stored[row].fill_(std::numeric_limits<double>::quiet_NaN());
    failures_[rows_ + row] = failure;
  }
  videos_.push_back(std::move(stored));
  if (identity_.keep_frames) frames_.push_back(as_stored(frames, identity_.half));
  rows_ += videos.size(0);
  const auto shard = shards_.back();
  if (rows_ == identity_.videos_before(shard + 1) - identity_.videos_before(shard)) write();
}

void ShardWriter::write() {
  const auto shard = shards_.back();
  if (identity_.keep_frames) {
    write_safetensors(frame_shard_file(folder_, shard), from_tensors({{kFrameFeatures, at::cat(frames_)}}),
                      {});
  }
  std::map<std::string, std::string> failures;
  for (const auto& [row, reason] : failures_) failures[std::to_string(row)] = reason;
  write_safetensors(video_shard_file(folder_, shard), from_tensors({{kVideoFeatures, at::cat(videos_)}}),
                    {{kFailuresEntry, json_text(nlohmann::json(failures), -1)}});
  spdlog::debug("features: shard {} of {} is written", shard + 1, identity_.shards());
  shards_.pop_back();
  videos_.clear();
  frames_.clear();
  failures_.clear();
  rows_ = 0;
}

void write_texts(const std::filesystem::path& folder, const CachedTexts& texts,
                 const std::vector<std::string>& labels) {
  if (texts.empty()) return;
  write_safetensors(folder / kTextsFile,
                    from_tensors({{kTextEmbeddings, texts.embeddings.cpu()}, {kTokens, texts.tokens.cpu()}}),
                    {{kTemplatesEntry, json_text(nlohmann::json(texts.templates), -1)},
                     {kLabelsEntry, json_text(nlohmann::json(labels), -1)}});
}

void write_index(const std::filesystem::path& folder, const FeatureIdentity& identity, const VideoList& list,
                 const std::vector<std::string>& labels) {
  nlohmann::ordered_json index = {{"labels", labels}, {"videos", nlohmann::ordered_json::array()}};
  auto& videos = index["videos"];
  for (std::int64_t shard = 0; shard < identity.shards(); ++shard) {
    const auto failures =
        read_shard(video_shard_file(folder, shard), kVideoFeatures, identity, shard).failures;
    for (auto i = identity.videos_before(shard); i < identity.videos_before(shard + 1); ++i) {
      const auto entry = list.entry(i);
      nlohmann::ordered_json video = {{"path", listed_path(list, entry).string()},
                                      {"label_ids", entry.label_ids}};
      const auto failure = failures.find(i - identity.videos_before(shard));
      if (failure != failures.end()) video["failure"] = failure->second;
      videos.push_back(std::move(video));
    }
  }
  write_file_atomically(folder / kIndexFile, json_text(index, -1) + "\n");
}

std::filesystem::path listed_path(const VideoList& list, const VideoEntry& entry) {
  auto relative = entry.path.lexically_relative(list.root());
  if (relative.empty() || *relative.begin() == "..") return std::filesystem::absolute(entry.path);
  return relative;
}

}  // namespace actionclip
