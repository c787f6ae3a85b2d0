#include "actionclip/weights/weights_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"

#include "weights/json_file.h"
#include "weights/model_description.h"
#include "weights/native_names.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexEnd = ".index.json";

// Of a folder, the first that is there is taken.
constexpr std::array<std::string_view, 6> kWeightsNames = {
    "model.safetensors",           "model.safetensors.index.json",
    "pytorch_model.bin",           "pytorch_model.bin.index.json",
    "open_clip_model.safetensors", "open_clip_pytorch_model.bin"};

bool is_there(const fs::path& path) {
  std::error_code absent;
  return fs::exists(path, absent);
}

bool is_folder(const fs::path& path) {
  std::error_code absent;
  return fs::is_directory(path, absent);
}

fs::path weights_in(const fs::path& folder) {
  refuse_run_folder(folder);
  for (const auto name : kWeightsNames) {
    if (is_there(folder / name)) return folder / name;
  }
  throw WeightsError(fmt::format("{}: no weights in this folder: one of {} is needed", folder.string(),
                                 fmt::join(kWeightsNames, ", ")));
}

// Which shard each tensor is in. A shard lies beside its index: a name with a path could be of any file.
std::map<std::string, std::string> read_index(const fs::path& index) {
  const auto content = read_json_object(index);
  const JsonSection whole(content, index.string() + ": ");
  const auto map = whole.required_section("weight_map");
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, entry] : map.object().items()) {
    const auto shard = entry.is_string() ? entry.get<std::string>() : "";
    const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                       shard.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
    if (!plain) {
      throw WeightsError(fmt::format("{}: tensor {}: the name of a file beside the index is needed, found {}",
                                     index.string(), quoted_name(tensor), quoted_name(shard)));
    }
    shards.emplace(tensor, shard);
  }
  return shards;
}

// A shard must hold the tensors that the index says, no others.
void require_tensors(const fs::path& shard, const TensorFile& content,
                     const std::set<std::string>& expected) {
  const auto fail = [&](const std::string& tensor, const char* what) {
    throw WeightsError(fmt::format("{}: tensor {} {}", shard.string(), quoted_name(tensor), what));
  };
  for (const auto& tensor : expected) {
    if (!content.tensors.contains(tensor)) fail(tensor, "is missing, the index says that it is here");
  }
  for (const auto& [tensor, data] : content.tensors) {
    if (!expected.contains(tensor)) fail(tensor, "is surplus, the index does not say that it is here");
  }
}

void read_shards(const fs::path& index, WeightsFile& weights) {
  std::map<std::string, std::set<std::string>> tensors_of;
  for (const auto& [tensor, shard] : read_index(index)) tensors_of[shard].insert(tensor);
  for (const auto& [name, expected] : tensors_of) {
    const auto path = index.parent_path() / name;
    if (!is_there(path)) {
      throw WeightsError(fmt::format("{}: no such file, though {} names it: the weights are not complete",
                                     path.string(), index.filename().string()));
    }
    auto shard = read_tensor_file(path);
    require_tensors(path, shard, expected);
    weights.content.format = shard.format;
    weights.content.tensors.merge(shard.tensors);
    weights.content.metadata.merge(shard.metadata);
  }
  weights.shards = tensors_of.size();
}

bool has_huggingface_names(const TensorFile& content) {
  return std::ranges::any_of(content.tensors, [](const auto& entry) {
    return entry.first.find("vision_model.") != std::string::npos ||
           entry.first.find("text_model.") != std::string::npos;
  });
}

// What lies beside the weights; nothing for a file of another name, which may not belong to it.
ModelDescription description_beside(const fs::path& path, const TensorFile& content) {
  const auto folder = path.parent_path();
  if (std::ranges::find(kWeightsNames, path.filename().string()) == kWeightsNames.end()) return {};
  if (has_huggingface_names(content))
    return is_there(folder / kHuggingFaceConfig) ? read_huggingface_description(folder) : ModelDescription();
  const bool native = content.metadata.contains(std::string(kModelConfigKey));
  return !native && is_there(folder / kOpenClipConfig) ? read_open_clip_description(folder)
                                                       : ModelDescription();
}

// All but the description.
WeightsFile open_tensors(const fs::path& path) {
  WeightsFile weights;
  weights.path = is_folder(path) ? weights_in(path) : path;
  if (weights.path.filename().string().ends_with(kIndexEnd)) {
    read_shards(weights.path, weights);
  } else {
    weights.content = read_tensor_file(weights.path);
  }
  return weights;
}

}  // namespace

WeightsFile open_weights(const std::filesystem::path& path) {
  WeightsFile weights = open_tensors(path);
  weights.description = description_beside(weights.path, weights.content);
  return weights;
}

WeightsFile open_weights(const std::filesystem::path& path, std::string& problem) {
  WeightsFile weights = open_tensors(path);
  try {
    weights.description = description_beside(weights.path, weights.content);
  } catch (const Error& refused) {
    problem = refused.what();
  }
  return weights;
}

}  // namespace actionclip
