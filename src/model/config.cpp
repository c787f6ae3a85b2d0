#include "actionclip/model/config.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/suggestion.h"
#include "actionclip/core/error.h"

#include "architectures.h"

namespace actionclip {
namespace {

constexpr std::string_view kCustom = "custom";
constexpr std::string_view kDefault = "ViT-B/32";  // in the place of what is not known
constexpr std::int64_t kMaxWidth = 65536;
constexpr std::int64_t kMaxEntries = 16'777'216;  // of a vocabulary or a label set
constexpr std::int64_t kResNetStride = 32;
constexpr std::int64_t kHeadWidth = 64;  // of every CLIP model of OpenAI

// open_clip's image encoders of other head widths: ViT-H, ViT-g, ViT-bigG, ViT-e.
constexpr std::array<std::int64_t, 4> kWidthsOf16Heads = {1280, 1408, 1664, 1792};

// Takes a member's key and what is wrong with it.
using Report = std::function<void(const std::string& key, const std::string& message)>;

void check_size(const Report& report, const std::string& key, std::int64_t value, std::int64_t maximum) {
  if (value < 1 || value > maximum) {
    report(key, fmt::format("must lie between 1 and {}, found {}", maximum, value));
  }
}

struct Size {
  std::string key;
  std::int64_t value;
  std::int64_t factor = 1;  // what is divided is so many times the value

  std::int64_t product() const { return value * factor; }
  // "vision.width x 32"
  std::string name() const { return factor == 1 ? key : fmt::format("{} x {}", key, factor); }
};

// Blames the divisor if the configuration gives it: what the named architecture says is not wrong.
void check_multiple(const Report& report, const Size& size, const Size& divisor, bool divisor_given) {
  if (size.value < 1 || divisor.value < 1 || size.product() % divisor.value == 0) return;
  if (divisor_given) {
    report(divisor.key,
           fmt::format("{} does not divide {} = {}", divisor.value, size.name(), size.product()));
    return;
  }
  const auto found = size.factor == 1 ? std::to_string(size.value)
                                      : fmt::format("{} x {} = {}", size.value, size.factor, size.product());
  report(size.key, fmt::format("{} is not a multiple of {} = {}", found, divisor.key, divisor.value));
}

void require_all(const ModelConfig& config, const Report& report) {
  const auto require = [&](const std::string& key, const std::optional<std::int64_t>& value) {
    if (!value) report(key, "must be given for arch custom");
  };
  require("embed_dim", config.embed_dim);
  require("vision.image_size", config.vision.image_size);
  require("vision.width", config.vision.width);
  if (!config.vision.stages) {
    require("vision.patch_size", config.vision.patch_size);
    require("vision.layers", config.vision.layers);
  }
  require("text.context_length", config.text.context_length);
  require("text.vocabulary_size", config.text.vocabulary_size);
  require("text.width", config.text.width);
  require("text.layers", config.text.layers);
}

// In place of the list, which is too long for a message.
constexpr const char* kSomeArchitectures =
    "known are ViT-B/16, ViT-H-14, RN50, custom and more, which `actionclip convert --help` lists";

// The named architecture, to which the overrides are applied next. An unknown name is reported and stands for
// the default, as custom does.
Architecture start_of(const ModelConfig& config, const Report& report) {
  if (config.arch == kCustom) {
    require_all(config, report);
    return *find_architecture(kDefault);
  }
  if (auto found = find_architecture(config.arch)) return *std::move(found);
  auto names = architecture_names();
  names.emplace_back(kCustom);
  const std::string near = nearest_name(config.arch, names);
  report("arch", fmt::format("unknown architecture '{}', {}", config.arch,
                             near.empty() ? kSomeArchitectures : fmt::format("did you mean '{}'?", near)));
  return *find_architecture(kDefault);
}

std::int64_t heads_of(const std::optional<std::int64_t>& heads, const std::optional<std::int64_t>& width,
                      std::int64_t named) {
  if (heads) return *heads;
  return width ? default_heads(*width) : named;
}

void apply(const VisionOverrides& overrides, VisionConfig& sizes) {
  sizes.stages = overrides.stages.value_or(sizes.stages);
  // Attention pools what the last stage gives.
  const auto expansion = sizes.is_resnet() ? kResNetExpansion : 1;
  const auto attended =
      overrides.width ? std::optional(std::clamp<std::int64_t>(*overrides.width, 0, kMaxWidth) * expansion)
                      : std::nullopt;
  sizes.heads = heads_of(overrides.heads, attended, sizes.heads);
  sizes.image_size = overrides.image_size.value_or(sizes.image_size);
  sizes.patch_size = overrides.patch_size.value_or(sizes.patch_size);
  sizes.width = overrides.width.value_or(sizes.width);
  sizes.layers = overrides.layers.value_or(sizes.layers);
  sizes.mlp_width = overrides.mlp_width.value_or(overrides.width ? 0 : sizes.mlp_width);
  sizes.layer_scale = overrides.layer_scale.value_or(sizes.layer_scale);
}

void apply(const TextOverrides& overrides, TextTransformerConfig& sizes) {
  sizes.heads = heads_of(overrides.heads, overrides.width, sizes.heads);
  sizes.context_length = overrides.context_length.value_or(sizes.context_length);
  sizes.vocabulary_size = overrides.vocabulary_size.value_or(sizes.vocabulary_size);
  sizes.width = overrides.width.value_or(sizes.width);
  sizes.layers = overrides.layers.value_or(sizes.layers);
  sizes.mlp_width = overrides.mlp_width.value_or(overrides.width ? 0 : sizes.mlp_width);
  sizes.end_token = overrides.end_token.value_or(sizes.end_token);
  sizes.layer_scale = overrides.layer_scale.value_or(sizes.layer_scale);
}

void check_vision_sizes(const VisionConfig& vision, const Report& report) {
  check_size(report, "vision.image_size", vision.image_size, 8192);
  check_size(report, "vision.width", vision.width, kMaxWidth);
  check_size(report, "vision.heads", vision.heads, 1024);
  if (!vision.is_resnet()) {
    check_size(report, "vision.patch_size", vision.patch_size, 8192);
    check_size(report, "vision.layers", vision.layers, 1024);
    if (vision.mlp_width != 0) check_size(report, "vision.mlp_width", vision.mlp_width, 16 * kMaxWidth);
    return;
  }
  if (vision.stages.size() != 4)
    report("vision.stages", fmt::format("needs the blocks of 4 stages, found {}", vision.stages.size()));
  for (const auto blocks : vision.stages) check_size(report, "vision.stages", blocks, 256);
}

void check_sizes(const ActionClipConfig& sizes, const Report& report) {
  check_size(report, "embed_dim", sizes.vision.output_dim, kMaxWidth);
  check_vision_sizes(sizes.vision, report);
  check_size(report, "text.context_length", sizes.text.context_length, 65536);
  check_size(report, "text.vocabulary_size", sizes.text.vocabulary_size, kMaxEntries);
  check_size(report, "text.width", sizes.text.width, kMaxWidth);
  check_size(report, "text.layers", sizes.text.layers, 1024);
  check_size(report, "text.heads", sizes.text.heads, 1024);
  if (sizes.text.mlp_width != 0) check_size(report, "text.mlp_width", sizes.text.mlp_width, 16 * kMaxWidth);
  if (sizes.text.end_token != kLargestToken &&
      (sizes.text.end_token < 0 || sizes.text.end_token >= sizes.text.vocabulary_size)) {
    report("text.end_token", fmt::format("must be {} (the largest id of a text) or an id below "
                                         "text.vocabulary_size = {}, found {}",
                                         kLargestToken, sizes.text.vocabulary_size, sizes.text.end_token));
  }
  if (sizes.classes < 0 || sizes.classes > kMaxEntries)
    report("classes", fmt::format("must lie between 0 and {}, found {}", kMaxEntries, sizes.classes));
}

void check_vision_multiples(const ModelConfig& config, const VisionConfig& vision, const Report& report) {
  const Size image_size{"vision.image_size", vision.image_size}, heads{"vision.heads", vision.heads};
  const bool heads_given = config.vision.heads.has_value();
  if (vision.is_resnet()) {
    check_multiple(report, image_size, {"the ResNet's stride", kResNetStride}, /*divisor_given=*/false);
    if (vision.width >= 1 && vision.width <= kMaxWidth) {
      check_multiple(report, {"vision.width", vision.width, kResNetExpansion}, heads, heads_given);
      if (vision.width % 2 != 0) report("vision.width", fmt::format("must be even, found {}", vision.width));
    }
    return;
  }
  check_multiple(report, image_size, {"vision.patch_size", vision.patch_size},
                 config.vision.patch_size.has_value());
  check_multiple(report, {"vision.width", vision.width}, heads, heads_given);
}

void check_multiples(const ModelConfig& config, const ActionClipConfig& sizes, const Report& report) {
  check_vision_multiples(config, sizes.vision, report);
  const Size text_heads{"text.heads", sizes.text.heads};
  check_multiple(report, {"text.width", sizes.text.width}, text_heads, config.text.heads.has_value());
  const Size width{"embed_dim", sizes.fusion.width};
  if (sizes.fusion.type == FusionType::Transf_cls)
    check_multiple(report, width, {"the heads of Transf_cls", kClassTokenHeads}, /*divisor_given=*/false);
  // The fusion head has the text encoder's heads; where those do not fit the text, that is the finding.
  const bool heads_fit_text = text_heads.value > 0 && sizes.text.width % text_heads.value == 0;
  if (sizes.fusion.type == FusionType::Transf && heads_fit_text)
    check_multiple(report, width, text_heads, /*divisor_given=*/false);
}

void check_fusion(const TemporalFusionConfig& fusion, const Report& report) {
  check_size(report, "frames", fusion.frames, 4096);
  if (has_fusion_layers(fusion.type)) check_size(report, "fusion_layers", fusion.layers, 1024);
  if (fusion.type != FusionType::Transf) return;
  check_size(report, "fusion.positions", fusion.positions, 65536);
  if (!(fusion.layer_norm_eps > 0))
    report("fusion.layer_norm_eps", fmt::format("must be greater than 0, found {}", fusion.layer_norm_eps));
  if (fusion.frames > fusion.positions) {
    report("frames",
           fmt::format("fusion Transf takes at most {} frames, found {}", fusion.positions, fusion.frames));
  }
}

// What moves along time inside the image encoder.
void check_visual_prompts(const ActionClipConfig& sizes, const Report& report) {
  const auto& vision = sizes.vision;
  if (vision.is_resnet() && vision.temporal_shift)
    report("temporal_shift", "works between the blocks of a vision transformer; a ResNet has none");
  if (vision.is_resnet() && vision.joint_frames != 0)
    report("joint", "needs the tokens of a vision transformer; a ResNet has none");
  if (vision.joint_frames == 0) return;
  if (vision.joint_frames != sizes.fusion.frames) {
    report("joint", fmt::format("the time positions must be those of {} frames, found {}",
                                sizes.fusion.frames, vision.joint_frames));
  }
  if (sizes.fusion.type != FusionType::meanP)
    report("fusion", "must be meanP with joint: true, as the image encoder leaves one vector a video");
  if (vision.temporal_shift)
    report("temporal_shift",
           "moves tokens between the frames' sequences; with joint: true there is only one");
}

void check_share(const char* key, double value, const Report& report) {
  if (!(value >= 0 && value < 1))
    report(key, fmt::format("must be at least 0 and less than 1, found {}", value));
}

void check_regularisation(const ActionClipConfig& sizes, const Report& report) {
  check_share("drop_path", sizes.vision.drop_path, report);
  check_share("text_drop_path", sizes.text.drop_path, report);
  check_share("embedding_dropout", sizes.vision.embedding_dropout, report);
  if (sizes.vision.is_resnet() && (sizes.vision.drop_path > 0 || sizes.vision.embedding_dropout > 0))
    report(sizes.vision.drop_path > 0 ? "drop_path" : "embedding_dropout", "is of vision transformers only");
}

void check_context(const ActionClipConfig& sizes, const Report& report) {
  const auto& context = sizes.context;
  const std::int64_t room = sizes.text.context_length - 2;  // start and end token
  if (context.length < 0 || context.length > std::max<std::int64_t>(room, 0)) {
    report("context.length",
           fmt::format("must lie between 0 and {} (text.context_length less start and end), found {}",
                       std::max<std::int64_t>(room, 0), context.length));
  }
  if (context.classes < 0 || context.classes > kMaxEntries)
    report("context.classes",
           fmt::format("must lie between 0 and {}, found {}", kMaxEntries, context.classes));
}

void check_channels(const char* key, const std::vector<double>& values, const Report& report) {
  if (values.size() != 3) {
    report(key, fmt::format("needs 3 values (red, green, blue), found {}", values.size()));
  }
}

void check_input(const ActionClipConfig& sizes, const Report& report) {
  check_channels("mean", sizes.mean, report);
  check_channels("std", sizes.std, report);
  for (const double value : sizes.std) {
    if (!(value > 0)) report("std", fmt::format("must be greater than 0, found {}", value));
  }
}

// What resolve() makes so, but a file may not.
void check_shared_sizes(const ActionClipConfig& sizes, const Report& report) {
  const auto require_same = [&](const char* key, std::int64_t value, const Size& other) {
    if (value != other.value) {
      report(key, fmt::format("must be {} = {}, found {}", other.key, other.value, value));
    }
  };
  const Size embed_dim{"vision.output_dim", sizes.vision.output_dim};
  require_same("text.output_dim", sizes.text.output_dim, embed_dim);
  require_same("fusion.width", sizes.fusion.width, embed_dim);
  require_same("fusion.heads", sizes.fusion.heads, {"text.heads", sizes.text.heads});
}

// The sizes of `config`; what does not fit is reported.
ActionClipConfig resolve_and_check(const ModelConfig& config, const Report& report) {
  const Architecture architecture = start_of(config, report);
  ActionClipConfig sizes;
  sizes.vision = architecture.vision;
  sizes.text = architecture.text;
  apply(config.vision, sizes.vision);
  apply(config.text, sizes.text);
  const std::int64_t embed_dim = config.embed_dim.value_or(architecture.embed_dim);
  sizes.vision.output_dim = embed_dim;
  sizes.vision.temporal_shift = config.temporal_shift;
  sizes.vision.joint_frames = config.joint ? config.frames : 0;
  sizes.vision.drop_path = config.drop_path;
  sizes.vision.embedding_dropout = config.embedding_dropout;
  sizes.vision.activation = config.activation.value_or(sizes.vision.activation);
  sizes.text.output_dim = embed_dim;
  sizes.text.drop_path = config.text_drop_path;
  sizes.text.activation = config.activation.value_or(sizes.text.activation);
  sizes.fusion = {.type = config.fusion,
                  .width = embed_dim,
                  .layers = config.fusion_layers,
                  .heads = sizes.text.heads,
                  .frames = config.frames,
                  .conv1d_layout = config.conv1d_layout,
                  .position_std = config.fusion_position_std};
  sizes.context = {.length = config.context.length,
                   .classes = config.context.class_specific ? config.labels : 0,
                   .position = config.context.position};
  sizes.classes = config.classifier ? config.labels : 0;
  if (config.mean) sizes.mean = *config.mean;
  if (config.std) sizes.std = *config.std;

  check_sizes(sizes, report);
  check_multiples(config, sizes, report);
  check_fusion(sizes.fusion, report);
  check_visual_prompts(sizes, report);
  check_regularisation(sizes, report);
  check_context(sizes, report);
  if (!(config.fusion_position_std > 0)) {
    report("fusion_position_std",
           fmt::format("must be greater than 0, found {}", config.fusion_position_std));
  }
  check_input(sizes, report);
  return sizes;
}

}  // namespace

void ModelConfig::check(ConfigChecker& checker) const {
  resolve_and_check(*this,
                    [&](const std::string& key, const std::string& message) { checker.error(key, message); });
}

std::int64_t default_heads(std::int64_t width) {
  if (std::ranges::find(kWidthsOf16Heads, width) != kWidthsOf16Heads.end()) return 16;
  return std::max<std::int64_t>(1, width / kHeadWidth);
}

std::int64_t mlp_width_of(std::int64_t mlp_width, std::int64_t width) {
  return mlp_width > 0 ? mlp_width : 4 * width;
}

bool has_fusion_layers(FusionType type) {
  return type == FusionType::Transf || type == FusionType::Transf_cls;
}

ActionClipConfig resolve(const ModelConfig& config) {
  std::string problems;
  auto sizes = resolve_and_check(config, [&](const std::string& key, const std::string& message) {
    problems += fmt::format("{}model.{}: {}", problems.empty() ? "" : "\n", key, message);
  });
  if (!problems.empty()) throw ConfigError(problems);
  return sizes;
}

void require_buildable(const ActionClipConfig& sizes) {
  std::vector<std::string> problems;
  const Report report = [&](const std::string& key, const std::string& message) {
    problems.push_back(fmt::format("{}: {}", key, message));
  };
  check_sizes(sizes, report);
  check_multiples(ModelConfig{}, sizes, report);
  check_fusion(sizes.fusion, report);
  check_visual_prompts(sizes, report);
  check_context(sizes, report);
  check_shared_sizes(sizes, report);
  check_input(sizes, report);
  if (!problems.empty()) {
    throw ConfigError(fmt::format("no model has these sizes: {}", fmt::join(problems, "; ")));
  }
}

}  // namespace actionclip
