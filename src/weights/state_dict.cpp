#include "actionclip/weights/state_dict.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {
namespace {

constexpr std::string_view kConfigKey = "actionclip.model";

constexpr std::int64_t kAny = -1;          // a size of a tensor that nothing else tells
constexpr std::int64_t kMaxBlocks = 1024;  // as many as the settings allow

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

// "[512, ?]"
std::string wanted_string(const std::vector<std::int64_t>& wanted) {
  std::vector<std::string> sizes;
  for (const auto size : wanted) sizes.push_back(size == kAny ? "?" : std::to_string(size));
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

// The blocks `prefix`N of which there is any tensor; numbers that no model has are none.
std::set<std::int64_t> blocks_below(const StateDict& tensors, const std::string& prefix) {
  std::set<std::int64_t> blocks;
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix)) continue;
    const auto rest = name.substr(prefix.size());
    std::int64_t block = -1;
    std::from_chars(rest.data(), rest.data() + rest.size(), block);
    if (block >= 0 && block < kMaxBlocks && rest.starts_with(fmt::format("{}.", block))) blocks.insert(block);
  }
  return blocks;
}

// The names that the parameters of the model have, which do not depend on its sizes: those of one that is as
// small as can be, its only block of each transformer repeated for the blocks that there are tensors of.
std::set<std::string> parameter_names(const StateDict& tensors, FusionType fusion) {
  constexpr std::string_view kBlocks = "resblocks.", kBlock = "resblocks.0";
  ActionClipConfig smallest;
  smallest.vision = {.image_size = 1, .patch_size = 1, .width = 1, .layers = 1, .heads = 1, .output_dim = 1};
  smallest.text = {
      .context_length = 1, .vocabulary_size = 1, .width = 1, .layers = 1, .heads = 1, .output_dim = 1};
  smallest.fusion = {.type = fusion, .width = 1, .layers = 1, .heads = 1, .frames = 1};
  std::set<std::string> names;
  for (const auto& parameter : ActionClip(smallest)->named_parameters()) {
    const std::string& name = parameter.key();
    const auto place = name.find(kBlock);
    if (place == std::string::npos) {
      names.insert(name);
      continue;
    }
    const auto prefix = name.substr(0, place + kBlocks.size()), rest = name.substr(place + kBlock.size());
    const auto blocks = blocks_below(tensors, prefix);
    for (const auto block : blocks) names.insert(fmt::format("{}{}{}", prefix, block, rest));
    if (blocks.empty()) names.insert(prefix + "*");
  }
  return names;
}

// Reads sizes off the tensors, and keeps what is wrong with them until all are read.
class ShapeReader {
 public:
  explicit ShapeReader(const StateDict& tensors) : tensors_(tensors) {}

  // The shape of a tensor that must be `wanted`. Where it is not, `wanted`: what is wrong with one tensor is
  // not held against those that are compared with it.
  std::vector<std::int64_t> read(const std::string& name, const std::vector<std::int64_t>& wanted) {
    read_.insert(name);
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      report(fmt::format("missing {} {}", name, wanted_string(wanted)));
      return wanted;
    }
    const auto shape = found->second.sizes().vec();
    const auto fits = [](std::int64_t size, std::int64_t want) { return want == kAny || size == want; };
    if (std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(), fits)) return shape;
    report(
        fmt::format("{} is {} in the file, {} is needed", name, shape_string(shape), wanted_string(wanted)));
    return wanted;
  }

  // The number of blocks, by the highest one. Each must have a projection of the width: a small file of empty
  // tensors must not be able to ask for a large model.
  std::int64_t count_blocks(const std::string& transformer, std::int64_t width) {
    const auto prefix = transformer + ".resblocks.";
    const auto present = blocks_below(tensors_, prefix);
    const std::int64_t count = present.empty() ? 0 : *present.rbegin() + 1;
    for (std::int64_t block = 0; block < count; ++block) {
      if (present.contains(block)) {
        read(fmt::format("{}{}.attn.out_proj.weight", prefix, block), {width, width});
      } else {
        report(fmt::format("missing {}{}.*", prefix, block));
      }
    }
    return count;
  }

  void report(std::string finding) { findings_.push_back(std::move(finding)); }

  // Throws WeightsError if anything was found, and then also tells of the tensors that no size is read from.
  void require_no_findings(FusionType fusion) {
    if (findings_.empty()) return;
    report_other_names(parameter_names(tensors_, fusion));
    throw WeightsError(fmt::format("cannot tell the architecture: {}", fmt::join(findings_, "; ")));
  }

 private:
  void report_other_names(const std::set<std::string>& parameters) {
    for (const auto& name : parameters) {
      if (!tensors_.contains(name) && !read_.contains(name)) report(fmt::format("missing {}", name));
    }
    for (const auto& [name, tensor] : tensors_) {
      if (!parameters.contains(name))
        report(fmt::format("surplus {} {}", name, shape_string(tensor.sizes().vec())));
    }
  }

  const StateDict& tensors_;
  std::set<std::string> read_;
  std::vector<std::string> findings_;
};

VisionTransformerConfig vision_config_of(ShapeReader& shapes) {
  VisionTransformerConfig vision;
  const auto patches = shapes.read("visual.conv1.weight", {kAny, 3, kAny, kAny});
  if (patches[2] != patches[3]) {
    shapes.report(
        fmt::format("visual.conv1.weight is {}: its patches must be square", shape_string(patches)));
  }
  vision.patch_size = patches[3];
  const auto positions = shapes.read("visual.positional_embedding", {kAny, patches[0]});
  const auto grid = std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(0, positions[0] - 1))));
  if (positions[0] != kAny && grid * grid + 1 != positions[0]) {
    shapes.report(
        fmt::format("visual.positional_embedding has {} rows: a square of patches and the class token needed",
                    positions[0]));
  }
  vision.image_size = grid * vision.patch_size;
  vision.width = positions[1];
  vision.layers = shapes.count_blocks("visual.transformer", vision.width);
  vision.heads = default_heads(vision.width);
  vision.output_dim = shapes.read("visual.proj", {vision.width, kAny})[1];
  return vision;
}

TextTransformerConfig text_config_of(ShapeReader& shapes) {
  TextTransformerConfig text;
  const auto tokens = shapes.read("token_embedding.weight", {kAny, kAny});
  const auto positions = shapes.read("positional_embedding", {kAny, tokens[1]});
  text.vocabulary_size = tokens[0];
  text.context_length = positions[0];
  text.width = positions[1];
  text.layers = shapes.count_blocks("transformer", text.width);
  text.heads = default_heads(text.width);
  text.output_dim = shapes.read("text_projection", {text.width, kAny})[1];
  return text;
}

TemporalFusionConfig fusion_config_of(const StateDict& tensors, ShapeReader& shapes,
                                      const ActionClipConfig& towers, std::int64_t frames) {
  TemporalFusionConfig fusion;
  fusion.width = towers.vision.output_dim;
  fusion.frames = frames;
  fusion.heads = towers.text.heads;
  fusion.layers = shapes.count_blocks("fusion.transformer", fusion.width);
  const bool transformer = fusion.layers > 0 || tensors.contains("fusion.frame_position_embeddings.weight");
  fusion.type = transformer ? FusionType::Transf : FusionType::meanP;
  return fusion;
}

// The sizes that CLIP-named tensors have; heads of CLIP's width; the fusion head from `fusion.*` (none of
// them: meanP).
ActionClipConfig config_of(const StateDict& tensors, std::int64_t frames) {
  ShapeReader shapes(tensors);
  ActionClipConfig config;
  config.vision = vision_config_of(shapes);
  config.text = text_config_of(shapes);
  config.fusion = fusion_config_of(tensors, shapes, config, frames);
  shapes.require_no_findings(config.fusion.type);
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
  refuse_run_folder(path);
  const auto file_path = std::filesystem::is_directory(path) ? path / "model.safetensors" : path;
  const TensorFile file = read_tensor_file(file_path);
  try {
    auto weights = to_weights(file, frames);
    weights.file = file_path;
    return weights;
  } catch (const Error& problem) {
    throw WeightsError(fmt::format("{}: {}", file_path.string(), problem.what()));
  }
}

std::string with_file(const LoadedWeights& weights, const std::string& message) {
  return weights.file.empty() ? message : fmt::format("{}: {}", weights.file.string(), message);
}

}  // namespace actionclip
