#include "protocols/feature_files.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/text_input.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {
namespace {

nlohmann::ordered_json to_json(const FeatureIdentity& identity) {
  return {{"videos", identity.videos},
          {"views", identity.views},
          {"batch_videos", identity.batch_videos},
          {"shard_videos", identity.shard_videos},
          {"stored_as", identity.half ? "fp16" : "fp32"},
          {"frame_features", identity.keep_frames},
          {"origin", identity.origin}};
}

FeatureIdentity parse_identity(const nlohmann::json& json) {
  const auto count = [&](const char* key) { return json.at(key).get<std::int64_t>(); };
  FeatureIdentity identity{.videos = count("videos"),
                           .views = count("views"),
                           .batch_videos = count("batch_videos"),
                           .shard_videos = count("shard_videos"),
                           .half = json.at("stored_as").get<std::string>() == "fp16",
                           .keep_frames = json.at("frame_features").get<bool>(),
                           .origin = json.at("origin").get<std::map<std::string, std::string>>()};
  if (std::min({identity.videos, identity.views, identity.batch_videos, identity.shard_videos}) < 1)
    throw Error("a number of videos or views is not positive");
  return identity;
}

std::map<std::string, std::string> settings_of(const FeatureIdentity& identity) {
  std::map<std::string, std::string> settings = identity.origin;
  const auto json = to_json(identity);
  for (const auto& [key, value] : json.items()) {
    if (key != "origin") settings[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return settings;
}

std::filesystem::path shard_file(const std::filesystem::path& folder, const char* what, std::int64_t shard) {
  return folder / fmt::format("{}-{:05}.safetensors", what, shard);
}

std::map<std::int64_t, std::string> failures_of(const TensorFile& content, std::int64_t rows) {
  std::map<std::int64_t, std::string> failures;
  const auto entry = content.metadata.find(kFailuresEntry);
  if (entry == content.metadata.end()) return failures;
  const auto json = nlohmann::json::parse(entry->second);
  for (const auto& [key, reason] : json.items()) {
    const auto row = parse_integer(key);
    if (!row || *row < 0 || *row >= rows) throw Error(fmt::format("a failure in row '{}' of {}", key, rows));
    failures.emplace(*row, reason.get<std::string>());
  }
  return failures;
}

}  // namespace

std::int64_t FeatureIdentity::videos_before(std::int64_t shard) const {
  return std::min(shard * shard_videos, videos);
}

std::filesystem::path video_shard_file(const std::filesystem::path& folder, std::int64_t shard) {
  return shard_file(folder, "videos", shard);
}

std::filesystem::path frame_shard_file(const std::filesystem::path& folder, std::int64_t shard) {
  return shard_file(folder, "frames", shard);
}

std::string identity_text(const FeatureIdentity& identity) { return json_text(to_json(identity)) + "\n"; }

FeatureIdentity read_identity(const std::filesystem::path& folder) {
  const auto file = folder / kIdentityFile;
  const auto text = read_text_file(file);
  try {
    return parse_identity(nlohmann::json::parse(text));
  } catch (const std::exception& problem) {
    throw Error(fmt::format("{}: is no identity of a feature cache: {}", file.string(), problem.what()));
  }
}

std::string differences(const FeatureIdentity& found, const FeatureIdentity& wanted) {
  const auto before = settings_of(found), now = settings_of(wanted);
  std::vector<std::string> texts;
  for (const auto& [key, value] : now) {
    const auto entry = before.find(key);
    const std::string former = entry == before.end() ? "not told" : entry->second;
    if (former != value) texts.push_back(fmt::format("{} ({}, now {})", key, former, value));
  }
  for (const auto& [key, value] : before) {
    if (!now.contains(key)) texts.push_back(fmt::format("{} ({}, now not told)", key, value));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

FeatureShard read_shard(const std::filesystem::path& file, const char* tensor,
                        const FeatureIdentity& identity, std::int64_t shard) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(fmt::format("{}: {}; remove it and run `actionclip features` again", file.string(), reason));
  };
  if (!std::filesystem::exists(file)) refuse("is missing");
  auto content = read_safetensors(file);
  const auto entry = content.tensors.find(tensor);
  if (entry == content.tensors.end() || content.tensors.size() != 1)
    refuse(fmt::format("does not hold the tensor {} alone", tensor));
  const auto rows = identity.videos_before(shard + 1) - identity.videos_before(shard);
  const auto dtype = identity.half ? DType::kFloat16 : DType::kFloat32;
  const auto& data = entry->second;
  const bool per_frame = std::string_view(tensor) == kFrameFeatures;
  if (data.dtype != dtype || data.shape.size() != (per_frame ? 4u : 3u) || data.shape[0] != rows ||
      data.shape[1] != identity.views) {
    refuse(fmt::format("{} is {} {}, but [{}, {}, {}D] of {} is needed", tensor, dtype_name(data.dtype),
                       shape_string(data.shape), rows, identity.views, per_frame ? "T, " : "",
                       dtype_name(dtype)));
  }
  FeatureShard result;
  try {
    result.failures = failures_of(content, rows);
  } catch (const std::exception& problem) {
    refuse(fmt::format("its failures cannot be read: {}", problem.what()));
  }
  result.features = to_tensor(std::move(entry->second));
  return result;
}

}  // namespace actionclip
