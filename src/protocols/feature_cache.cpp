#include "actionclip/protocols/feature_cache.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "protocols/feature_files.h"

namespace actionclip {
namespace {

constexpr std::size_t kLargestIndex = std::size_t{2} << 30;  // bytes

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& reason) {
  throw Error(fmt::format("{}: {}; run `actionclip features` again", file.string(), reason));
}

// Runs `read`, with the file named in what it throws.
void read_file(const std::filesystem::path& file, const std::function<void()>& read) {
  try {
    read();
  } catch (const std::exception& problem) {
    refuse(file, problem.what());
  }
}

void read_index(CachedFeatures& features) {
  const auto file = features.folder / kIndexFile;
  if (!std::filesystem::exists(file)) {
    throw Error(
        fmt::format("{}: not all videos are encoded yet (there is no {}); run `actionclip features` "
                    "again, which goes on from here",
                    features.folder.string(), kIndexFile));
  }
  const auto text = read_text_file(file, kLargestIndex);
  read_file(file, [&] {
    const auto json = nlohmann::json::parse(text);
    features.labels = json.at("labels").get<std::vector<std::string>>();
    const auto classes = static_cast<std::int32_t>(features.labels.size());
    for (const auto& entry : json.at("videos")) {
      ScoredVideo video{.path = entry.at("path").get<std::string>(),
                        .label_ids = entry.at("label_ids").get<std::vector<std::int32_t>>(),
                        .failure = entry.value("failure", "")};
      if (std::ranges::any_of(video.label_ids, [&](std::int32_t id) { return id < 0 || id >= classes; }))
        throw Error(fmt::format("{} has a label id that none of the {} labels has", video.path, classes));
      features.videos.push_back(std::move(video));
    }
    if (std::ssize(features.videos) != features.identity.videos)
      throw Error(
          fmt::format("it has {} videos, the identity {}", features.videos.size(), features.identity.videos));
  });
}

at::Tensor texts_tensor(TensorFile& content, const char* name, std::int64_t dimensions) {
  const auto entry = content.tensors.find(name);
  if (entry == content.tensors.end()) throw Error(fmt::format("tensor {} is missing", name));
  auto tensor = to_tensor(std::move(entry->second));
  if (tensor.dim() != dimensions) throw Error(fmt::format("tensor {} has {} dimensions", name, tensor.dim()));
  return tensor;
}

void read_texts(CachedFeatures& features) {
  const auto file = features.folder / kTextsFile;
  if (!std::filesystem::exists(file)) return;
  read_file(file, [&] {
    auto content = read_safetensors(file);
    auto& texts = features.texts;
    texts.embeddings = texts_tensor(content, kTextEmbeddings, 3).to(at::kFloat);
    texts.tokens = texts_tensor(content, kTokens, 3).to(at::kLong);
    const auto list = [&](const char* key) {
      return nlohmann::json::parse(content.metadata.at(key)).get<std::vector<std::string>>();
    };
    texts.templates = list(kTemplatesEntry);
    if (list(kLabelsEntry) != features.labels) throw Error("its labels are not those of the videos");
    const auto prompts = texts.embeddings.size(0), classes = std::ssize(features.labels);
    const auto templates = std::ssize(texts.templates);
    if (templates == 0 || prompts % templates != 0 || texts.embeddings.size(1) != classes ||
        texts.embeddings.size(2) != features.video_features.size(2) || texts.tokens.size(0) != prompts ||
        texts.tokens.size(1) != classes)
      throw Error("its shapes do not fit the templates, labels and videos");
  });
}

at::Tensor concatenate(std::vector<at::Tensor> parts, const std::filesystem::path& folder) {
  for (const auto& part : parts) {
    if (part.sizes().slice(1) != parts.front().sizes().slice(1))
      throw Error(fmt::format("{}: its shards hold features of different shapes", folder.string()));
  }
  return parts.size() == 1 ? parts.front().to(at::kFloat) : at::cat(parts).to(at::kFloat);
}

}  // namespace

CachedFeatures read_features(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / kIdentityFile)) {
    throw Error(
        fmt::format("{}: holds no features (there is no {}); `actionclip features --output {}` makes "
                    "them",
                    folder.string(), kIdentityFile, folder.string()));
  }
  CachedFeatures features{.folder = folder,
                          .identity = read_identity(folder),
                          .labels = {},
                          .videos = {},
                          .video_features = {},
                          .texts = {}};
  read_index(features);
  std::vector<at::Tensor> parts;
  for (std::int64_t shard = 0; shard < features.identity.shards(); ++shard) {
    parts.push_back(
        read_shard(video_shard_file(folder, shard), kVideoFeatures, features.identity, shard).features);
  }
  features.video_features = concatenate(std::move(parts), folder);
  read_texts(features);
  return features;
}

at::Tensor read_frame_features(const CachedFeatures& features) {
  const auto& folder = features.folder;
  const auto& identity = features.identity;
  if (!identity.keep_frames) {
    throw Error(fmt::format("{}: holds no features of frames; `actionclip features --frames` keeps them",
                            folder.string()));
  }
  std::vector<at::Tensor> parts;
  for (std::int64_t shard = 0; shard < identity.shards(); ++shard)
    parts.push_back(read_shard(frame_shard_file(folder, shard), kFrameFeatures, identity, shard).features);
  return concatenate(std::move(parts), folder);
}

at::Tensor single_labels(const CachedFeatures& features, const std::string& who) {
  auto labels = at::empty({std::ssize(features.videos)}, at::kLong);
  auto* ids = labels.mutable_data_ptr<std::int64_t>();
  for (const auto& video : features.videos) {
    if (video.label_ids.size() != 1) {
      throw Error(fmt::format("{}: {} has {} labels; {} needs one a video", features.folder.string(),
                              video.path, video.label_ids.size(), who));
    }
    *ids++ = video.label_ids.front();
  }
  return labels;
}

}  // namespace actionclip
