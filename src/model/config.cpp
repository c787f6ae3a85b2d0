#include "actionclip/model/config.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/config/suggestion.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::string_view kCustom = "custom";
constexpr std::int64_t kHeadWidth = 64;  // of every CLIP model

struct Architecture {
  std::string_view name;
  std::int64_t embed_dim;
  VisionTransformerConfig vision;
  TextTransformerConfig text;
};

// Radford et al. 2021, table 20.
constexpr std::array<Architecture, 4> kArchitectures = {{
    {"ViT-B/32", 512, {224, 32, 768, 12, 12, 512}, {77, 49408, 512, 12, 8, 512}},
    {"ViT-B/16", 512, {224, 16, 768, 12, 12, 512}, {77, 49408, 512, 12, 8, 512}},
    {"ViT-L/14", 768, {224, 14, 1024, 24, 16, 768}, {77, 49408, 768, 12, 12, 768}},
    {"ViT-L/14@336px", 768, {336, 14, 1024, 24, 16, 768}, {77, 49408, 768, 12, 12, 768}},
}};

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
};

// Blames the divisor if the configuration gives it: what the named architecture says is not wrong.
void check_multiple(const Report& report, const Size& size, const Size& divisor, bool divisor_given) {
  if (size.value < 1 || divisor.value < 1 || size.value % divisor.value == 0) return;
  if (divisor_given) {
    report(divisor.key, fmt::format("{} does not divide {} = {}", divisor.value, size.key, size.value));
  } else {
    report(size.key, fmt::format("{} is not a multiple of {} = {}", size.value, divisor.key, divisor.value));
  }
}

void require_all(const ModelConfig& config, const Report& report) {
  const auto require = [&](const std::string& key, const std::optional<std::int64_t>& value) {
    if (!value) report(key, "must be given for arch custom");
  };
  require("embed_dim", config.embed_dim);
  require("vision.image_size", config.vision.image_size);
  require("vision.patch_size", config.vision.patch_size);
  require("vision.width", config.vision.width);
  require("vision.layers", config.vision.layers);
  require("text.context_length", config.text.context_length);
  require("text.vocabulary_size", config.text.vocabulary_size);
  require("text.width", config.text.width);
  require("text.layers", config.text.layers);
}

// The named architecture, to which the overrides are applied next. An unknown name is reported and stands for
// the default.
const Architecture& find_architecture(const ModelConfig& config, const Report& report) {
  if (config.arch == kCustom) {
    require_all(config, report);
    return kArchitectures[0];
  }
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == config.arch) return architecture;
  }
  auto names = architecture_names();
  names.emplace_back(kCustom);
  const std::string near = nearest_name(config.arch, names);
  report("arch", fmt::format("unknown architecture '{}', {}", config.arch,
                             near.empty() ? fmt::format("known: {}", fmt::join(names, ", "))
                                          : fmt::format("did you mean '{}'?", near)));
  return kArchitectures[0];
}

std::int64_t heads_of(const std::optional<std::int64_t>& heads, const std::optional<std::int64_t>& width,
                      std::int64_t named) {
  if (heads) return *heads;
  return width ? default_heads(*width) : named;
}

void apply(const VisionOverrides& overrides, VisionTransformerConfig& sizes) {
  sizes.heads = heads_of(overrides.heads, overrides.width, sizes.heads);
  sizes.image_size = overrides.image_size.value_or(sizes.image_size);
  sizes.patch_size = overrides.patch_size.value_or(sizes.patch_size);
  sizes.width = overrides.width.value_or(sizes.width);
  sizes.layers = overrides.layers.value_or(sizes.layers);
}

void apply(const TextOverrides& overrides, TextTransformerConfig& sizes) {
  sizes.heads = heads_of(overrides.heads, overrides.width, sizes.heads);
  sizes.context_length = overrides.context_length.value_or(sizes.context_length);
  sizes.vocabulary_size = overrides.vocabulary_size.value_or(sizes.vocabulary_size);
  sizes.width = overrides.width.value_or(sizes.width);
  sizes.layers = overrides.layers.value_or(sizes.layers);
}

void check_sizes(const ActionClipConfig& sizes, const Report& report) {
  check_size(report, "embed_dim", sizes.vision.output_dim, 65536);
  check_size(report, "vision.image_size", sizes.vision.image_size, 8192);
  check_size(report, "vision.patch_size", sizes.vision.patch_size, 8192);
  check_size(report, "vision.width", sizes.vision.width, 65536);
  check_size(report, "vision.layers", sizes.vision.layers, 1024);
  check_size(report, "vision.heads", sizes.vision.heads, 1024);
  check_size(report, "text.context_length", sizes.text.context_length, 65536);
  check_size(report, "text.vocabulary_size", sizes.text.vocabulary_size, 16'777'216);
  check_size(report, "text.width", sizes.text.width, 65536);
  check_size(report, "text.layers", sizes.text.layers, 1024);
  check_size(report, "text.heads", sizes.text.heads, 1024);
}

void check_multiples(const ModelConfig& config, const ActionClipConfig& sizes, const Report& report) {
  check_multiple(report, {"vision.image_size", sizes.vision.image_size},
                 {"vision.patch_size", sizes.vision.patch_size}, config.vision.patch_size.has_value());
  check_multiple(report, {"vision.width", sizes.vision.width}, {"vision.heads", sizes.vision.heads},
                 config.vision.heads.has_value());
  const Size text_heads{"text.heads", sizes.text.heads};
  check_multiple(report, {"text.width", sizes.text.width}, text_heads, config.text.heads.has_value());
  // The fusion head has the text encoder's heads; where those do not fit the text, that is the finding.
  const bool heads_fit_text = text_heads.value > 0 && sizes.text.width % text_heads.value == 0;
  if (sizes.fusion.type == FusionType::Transf && heads_fit_text) {
    check_multiple(report, {"embed_dim", sizes.fusion.width}, text_heads, /*divisor_given=*/false);
  }
}

void check_fusion(const TemporalFusionConfig& fusion, const Report& report) {
  check_size(report, "frames", fusion.frames, 4096);
  if (fusion.type != FusionType::Transf) return;
  check_size(report, "fusion_layers", fusion.layers, 1024);
  if (fusion.frames > kFusionPositions) {
    report("frames",
           fmt::format("fusion Transf takes at most {} frames, found {}", kFusionPositions, fusion.frames));
  }
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
  const Architecture& architecture = find_architecture(config, report);
  ActionClipConfig sizes;
  sizes.vision = architecture.vision;
  sizes.text = architecture.text;
  apply(config.vision, sizes.vision);
  apply(config.text, sizes.text);
  const std::int64_t embed_dim = config.embed_dim.value_or(architecture.embed_dim);
  sizes.vision.output_dim = embed_dim;
  sizes.text.output_dim = embed_dim;
  sizes.fusion = {config.fusion,    embed_dim,     config.fusion_layers,
                  sizes.text.heads, config.frames, config.fusion_position_std};
  if (config.mean) sizes.mean = *config.mean;
  if (config.std) sizes.std = *config.std;

  check_sizes(sizes, report);
  check_multiples(config, sizes, report);
  check_fusion(sizes.fusion, report);
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

std::int64_t default_heads(std::int64_t width) { return std::max<std::int64_t>(1, width / kHeadWidth); }

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  names.reserve(kArchitectures.size());
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
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
  check_shared_sizes(sizes, report);
  check_input(sizes, report);
  if (!problems.empty()) {
    throw ConfigError(fmt::format("no model has these sizes: {}", fmt::join(problems, "; ")));
  }
}

}  // namespace actionclip
