#include "actionclip/weights/state_dict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {
namespace {

constexpr std::string_view kConfigKey = "actionclip.model";

// Numbers that OpenAI's archives store beside the weights.
constexpr std::array<std::string_view, 3> kOpenAiSizes = {"input_resolution", "context_length", "vocab_size"};

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

// The native name of an entry, or empty for one that is no weight of the model.
std::string native_name(const std::string& name, NameScheme scheme) {
  if (scheme == NameScheme::native) return name;
  if (scheme == NameScheme::actionclip) {
    if (name.starts_with("fusion_model_state_dict/")) {
      return "fusion." + without_prefix(name.substr(name.find('/') + 1), "module.");
    }
    if (!name.starts_with("model_state_dict/")) return "";
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

NameScheme scheme_of(const TensorFile& file) {
  if (file.metadata.contains(std::string(kConfigKey))) return NameScheme::native;
  if (any_name(file, [](const std::string& name) { return name.starts_with("model_state_dict/"); })) {
    return NameScheme::actionclip;
  }
  if (any_name(file, [](const std::string& name) { return name.starts_with("fusion."); }))
    return NameScheme::native;
  if (any_name(file, [](const std::string& name) { return name.find("visual.") != std::string::npos; })) {
    return NameScheme::openai;
  }
  throw WeightsError(fmt::format(
      "the {} tensors in it are named by no scheme that is known (CLIP's, published ActionCLIP's, this "
      "program's); the first is '{}'",
      file.tensors.size(), file.tensors.empty() ? "" : file.tensors.begin()->first));
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

// `wanted`: the sizes; -1 for any.
const at::Tensor& need_shape(const StateDict& tensors, const std::string& name,
                             const std::vector<std::int64_t>& wanted) {
  const auto& tensor = need(tensors, name, static_cast<std::int64_t>(wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] >= 0 && tensor.size(static_cast<std::int64_t>(i)) != wanted[i]) {
      throw WeightsError(fmt::format("tensor '{}' is {}: its size {} must be {}, as others show", name,
                                     shape_string(tensor.sizes().vec()), i, wanted[i]));
    }
  }
  return tensor;
}

// The number of blocks, each with a projection that has the width: a small file of empty tensors must not be
// able to ask for a large model.
std::int64_t count_blocks(const StateDict& tensors, const std::string& prefix, std::int64_t width) {
  std::int64_t count = 0;
  for (;; ++count) {
    const auto block = fmt::format("{}resblocks.{}.", prefix, count);
    if (!tensors.contains(block + "ln_1.weight")) return count;
    need_shape(tensors, block + "attn.out_proj.weight", {width, width});
  }
}

VisionTransformerConfig vision_config_of(const StateDict& tensors) {
  VisionTransformerConfig vision;
  const auto& patches = need_shape(tensors, "visual.conv1.weight", {-1, 3, -1, -1});
  vision.width = patches.size(0);
  vision.patch_size = need_shape(tensors, "visual.conv1.weight", {-1, 3, patches.size(3), -1}).size(3);
  const auto positions = need_shape(tensors, "visual.positional_embedding", {-1, vision.width}).size(0);
  const auto grid = std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(0, positions - 1))));
  if (grid * grid + 1 != positions) {
    throw WeightsError(fmt::format(
        "tensor 'visual.positional_embedding' has {} rows: a square of patches and the class token needed",
        positions));
  }
  vision.image_size = grid * vision.patch_size;
  vision.layers = count_blocks(tensors, "visual.transformer.", vision.width);
  vision.heads = default_heads(vision.width);
  vision.output_dim = need_shape(tensors, "visual.proj", {vision.width, -1}).size(1);
  return vision;
}

TextTransformerConfig text_config_of(const StateDict& tensors) {
  TextTransformerConfig text;
  const auto& tokens = need(tensors, "token_embedding.weight", 2);
  text.vocabulary_size = tokens.size(0);
  text.width = tokens.size(1);
  text.context_length = need_shape(tensors, "positional_embedding", {-1, text.width}).size(0);
  text.layers = count_blocks(tensors, "transformer.", text.width);
  text.heads = default_heads(text.width);
  text.output_dim = need_shape(tensors, "text_projection", {text.width, -1}).size(1);
  return text;
}

TemporalFusionConfig fusion_config_of(const StateDict& tensors, const ActionClipConfig& towers,
                                      std::int64_t frames) {
  TemporalFusionConfig fusion;
  fusion.width = towers.vision.output_dim;
  fusion.frames = frames;
  fusion.heads = towers.text.heads;
  fusion.layers = count_blocks(tensors, "fusion.transformer.", fusion.width);
  fusion.type =
      tensors.contains("fusion.frame_position_embeddings.weight") ? FusionType::Transf : FusionType::meanP;
  return fusion;
}

// The sizes that CLIP-named tensors have; heads of CLIP's width; the fusion head from `fusion.*` (none of
// them: meanP).
ActionClipConfig config_of(const StateDict& tensors, std::int64_t frames) {
  ActionClipConfig config;
  config.vision = vision_config_of(tensors);
  config.text = text_config_of(tensors);
  config.fusion = fusion_config_of(tensors, config, frames);
  return config;
}

void require_same(std::string_view part, std::string_view key, std::int64_t said, std::int64_t shown) {
  if (said == shown) return;
  throw WeightsError(fmt::format("the metadata say {}.{} {}, the tensors show {}", part, key, said, shown));
}

// Every size of an encoder but its heads.
template <typename Encoder>
void require_same_sizes(std::string_view part, const Encoder& described, const Encoder& held) {
  using Members = boost::describe::describe_members<Encoder, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    if (std::string_view(member.name) == "heads") return;
    require_same(part, member.name, described.*member.pointer, held.*member.pointer);
  });
}

// What the metadata say must be what the tensors show; heads, frames, mean and std only the former can tell.
void require_agreement(const ActionClipConfig& described, const ActionClipConfig& held) {
  require_same_sizes("vision", described.vision, held.vision);
  require_same_sizes("text", described.text, held.text);
  if (described.fusion.type == FusionType::Transf) {
    require_same("fusion", "layers", described.fusion.layers, held.fusion.layers);
  }
}

// From the metadata of a native file, else from the shapes.
ActionClipConfig read_architecture(const LoadedWeights& weights, std::int64_t frames) {
  ActionClipConfig config = config_of(weights.tensors, frames);
  if (weights.described) {
    const ActionClipConfig held = config;
    config =
        read_config<ActionClipConfig>(parse_yaml(weights.metadata.at(std::string(kConfigKey)), "metadata"));
    require_agreement(config, held);
  }
  require_buildable(config);
  return config;
}

// The tensors under their native names.
StateDict native_tensors(const TensorFile& file, NameScheme scheme) {
  StateDict tensors;
  std::map<std::string, std::string> origins;
  for (const auto& [name, tensor] : file.tensors) {
    const std::string native = native_name(name, scheme);
    if (native.empty()) continue;
    const auto [origin, fresh] = origins.emplace(native, name);
    if (!fresh) {
      throw WeightsError(fmt::format("tensors '{}' and '{}' would both be {}", origin->second, name, native));
    }
    tensors.emplace(native, to_tensor(tensor));
  }
  return tensors;
}

}  // namespace

std::map<std::string, std::string> to_metadata(const ActionClipConfig& config) {
  return {{std::string(kConfigKey), write_config(config)}};
}

LoadedWeights to_weights(const TensorFile& file, std::int64_t frames) {
  LoadedWeights weights;
  weights.scheme = scheme_of(file);
  weights.metadata = file.metadata;
  weights.described = file.metadata.contains(std::string(kConfigKey));
  weights.tensors = native_tensors(file, weights.scheme);
  weights.config = read_architecture(weights, frames);
  const bool fusion_tensors =
      std::any_of(weights.tensors.begin(), weights.tensors.end(),
                  [](const auto& entry) { return entry.first.starts_with("fusion."); });
  weights.has_fusion = fusion_tensors || weights.described;
  return weights;
}

LoadedWeights load_weights(const std::filesystem::path& path, std::int64_t frames) {
  const auto file_path = std::filesystem::is_directory(path) ? path / "model.safetensors" : path;
  const TensorFile file = read_tensor_file(file_path);
  try {
    return to_weights(file, frames);
  } catch (const Error& problem) {
    throw WeightsError(fmt::format("{}: {}", file_path.string(), problem.what()));
  }
}

}  // namespace actionclip
