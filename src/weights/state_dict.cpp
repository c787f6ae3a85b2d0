#include "actionclip/weights/state_dict.h"

#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_convert.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {
namespace {

constexpr std::string_view kConfigKey = "actionclip.model";

// Numbers that OpenAI's archives store beside the weights.
constexpr std::array<std::string_view, 3> kOpenAiSizes = {"input_resolution", "context_length", "vocab_size"};

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return has_prefix(text, prefix) ? text.substr(prefix.size()) : text;
}

// The native name of an entry, or empty for one that is no weight of the model.
std::string native_name(const std::string& name, NameScheme scheme) {
  if (scheme == NameScheme::native) return name;
  if (scheme == NameScheme::actionclip) {
    if (has_prefix(name, "fusion_model_state_dict/")) {
      return "fusion." + without_prefix(name.substr(name.find('/') + 1), "module.");
    }
    if (!has_prefix(name, "model_state_dict/")) return "";
  }
  const auto slash = name.rfind('/');
  const auto plain = without_prefix(slash == std::string::npos ? name : name.substr(slash + 1), "module.");
  for (const auto& size : kOpenAiSizes) {
    if (plain == size) return "";
  }
  return plain;
}

bool any_name(const TensorFile& file, const auto& predicate) {
  for (const auto& [name, tensor] : file.tensors) {
    if (predicate(name)) return true;
  }
  return false;
}

NameScheme scheme_of(const TensorFile& file, const std::filesystem::path& path) {
  if (file.metadata.contains(std::string(kConfigKey))) return NameScheme::native;
  if (any_name(file, [](const std::string& name) { return has_prefix(name, "model_state_dict/"); })) {
    return NameScheme::actionclip;
  }
  if (any_name(file, [](const std::string& name) { return has_prefix(name, "fusion."); }))
    return NameScheme::native;
  if (any_name(file, [](const std::string& name) { return name.find("visual.") != std::string::npos; })) {
    return NameScheme::openai;
  }
  throw WeightsError(fmt::format(
      "{}: the {} tensors in it are named by no scheme that is known (CLIP's, published ActionCLIP's, "
      "this program's); the first is '{}'",
      path.string(), file.tensors.size(), file.tensors.empty() ? "" : file.tensors.begin()->first));
}

const at::Tensor& need(const StateDict& tensors, const std::string& name, std::int64_t dimensions) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw WeightsError(fmt::format("cannot tell the architecture: tensor '{}' is missing", name));
  }
  if (found->second.dim() != dimensions) {
    throw WeightsError(
        fmt::format("cannot tell the architecture: tensor '{}' has {} dimensions instead of {}", name,
                    found->second.dim(), dimensions));
  }
  return found->second;
}

std::int64_t count_blocks(const StateDict& tensors, const std::string& prefix) {
  std::int64_t count = 0;
  while (tensors.contains(fmt::format("{}resblocks.{}.ln_1.weight", prefix, count))) ++count;
  return count;
}

constexpr std::int64_t kHeadWidth = 64;

std::int64_t heads_of(std::int64_t width) { return std::max<std::int64_t>(1, width / kHeadWidth); }

VisionTransformerConfig vision_config_of(const StateDict& tensors) {
  VisionTransformerConfig vision;
  const auto& patches = need(tensors, "visual.conv1.weight", 4);
  vision.width = patches.size(0);
  vision.patch_size = patches.size(3);
  const auto grid = std::llround(std::sqrt(need(tensors, "visual.positional_embedding", 2).size(0) - 1));
  vision.image_size = grid * vision.patch_size;
  vision.layers = count_blocks(tensors, "visual.transformer.");
  vision.heads = heads_of(vision.width);
  vision.output_dim = need(tensors, "visual.proj", 2).size(1);
  return vision;
}

TextTransformerConfig text_config_of(const StateDict& tensors) {
  TextTransformerConfig text;
  text.vocabulary_size = need(tensors, "token_embedding.weight", 2).size(0);
  text.width = need(tensors, "token_embedding.weight", 2).size(1);
  text.context_length = need(tensors, "positional_embedding", 2).size(0);
  text.layers = count_blocks(tensors, "transformer.");
  text.heads = heads_of(text.width);
  text.output_dim = need(tensors, "text_projection", 2).size(1);
  return text;
}

TemporalFusionConfig fusion_config_of(const StateDict& tensors, const ActionClipConfig& towers,
                                      std::int64_t frames) {
  TemporalFusionConfig fusion;
  fusion.width = towers.vision.output_dim;
  fusion.frames = frames;
  fusion.heads = towers.text.heads;
  fusion.layers = count_blocks(tensors, "fusion.transformer.");
  fusion.type =
      tensors.contains("fusion.frame_position_embeddings.weight") ? FusionType::Transf : FusionType::meanP;
  return fusion;
}

}  // namespace

ActionClipConfig config_of(const StateDict& tensors, std::int64_t frames) {
  ActionClipConfig config;
  config.vision = vision_config_of(tensors);
  config.text = text_config_of(tensors);
  config.fusion = fusion_config_of(tensors, config, frames);
  return config;
}

std::map<std::string, std::string> to_metadata(const ActionClipConfig& config) {
  return {{std::string(kConfigKey), write_config(config)}};
}

LoadedWeights load_weights(const std::filesystem::path& path, std::int64_t frames) {
  const auto file_path = std::filesystem::is_directory(path) ? path / "model.safetensors" : path;
  const TensorFile file = read_tensor_file(file_path);
  LoadedWeights weights;
  weights.scheme = scheme_of(file, file_path);
  weights.metadata = file.metadata;
  for (const auto& [name, tensor] : file.tensors) {
    const std::string native = native_name(name, weights.scheme);
    if (native.empty()) {
      weights.unused.push_back(name);
    } else {
      weights.tensors.emplace(native, to_tensor(tensor));
    }
  }
  const auto described = file.metadata.find(std::string(kConfigKey));
  try {
    weights.config = described != file.metadata.end()
                         ? read_config<ActionClipConfig>(parse_yaml(described->second, "metadata"))
                         : config_of(weights.tensors, frames);
  } catch (const Error& problem) {
    throw WeightsError(fmt::format("{}: {}", file_path.string(), problem.what()));
  }
  const bool fusion_tensors = any_name(file, [&](const std::string& name) {
    return has_prefix(native_name(name, weights.scheme), "fusion.");
  });
  weights.has_fusion = fusion_tensors || described != file.metadata.end();
  return weights;
}

}  // namespace actionclip
