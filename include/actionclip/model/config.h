// Settings of the model: the `model:` section of an experiment, and the resolved sizes that the modules are
// built from. Sizes of the named architectures: CLIP (Radford et al. 2021), table 20.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/types.h"

namespace actionclip {

enum class FusionType { meanP, Transf };
BOOST_DESCRIBE_ENUM(FusionType, meanP, Transf)

// What matrix products are computed in; weights stay fp32.
enum class Precision { fp32, bf16, fp16 };
BOOST_DESCRIBE_ENUM(Precision, fp32, bf16, fp16)

// Rows of the Transf head's frame positions: the published head re-uses CLIP's context length.
inline constexpr std::int64_t kFusionPositions = 77;

// Heads of an encoder of which only the width is known: every CLIP model has heads of 64.
std::int64_t default_heads(std::int64_t width);

// Where a part's parameters come from at the start of a run.
enum class InitSource { weights, random };
BOOST_DESCRIBE_ENUM(InitSource, weights, random)

struct InitConfig {
  InitSource image = InitSource::weights;
  InitSource text = InitSource::weights;
};
BOOST_DESCRIBE_STRUCT(InitConfig, (), (image, text))

// Sizes that differ from those of `arch`; all but the heads for arch `custom`. Heads that are not given are
// those of the weights that the part comes from, where their file says them, else width / 64 where the width
// is given.
struct VisionOverrides {
  std::optional<std::int64_t> image_size, patch_size, width, layers, heads;
};
BOOST_DESCRIBE_STRUCT(VisionOverrides, (), (image_size, patch_size, width, layers, heads))

struct TextOverrides {
  std::optional<std::int64_t> context_length, vocabulary_size, width, layers, heads;
};
BOOST_DESCRIBE_STRUCT(TextOverrides, (), (context_length, vocabulary_size, width, layers, heads))

struct ModelConfig {
  std::string arch = "ViT-B/16";  // one of architecture_names(), or "custom"
  InputPath weights;              // the start; a file of any supported scheme, or a run's checkpoint
  InitConfig init;
  std::int64_t frames = 8;  // T
  FusionType fusion = FusionType::Transf;
  std::int64_t fusion_layers = 6;
  // Standard deviation that the Transf head's frame positions start from. 0.02 is the method's, meant for
  // CLIP's frame features (about 0.4 a dimension). Those of a tower trained from scratch come to about 1,
  // beside which so small positions are learnt late: start them larger there. Matters only where the head
  // starts fresh.
  double fusion_position_std = 0.02;
  std::optional<std::int64_t> embed_dim;  // D
  VisionOverrides vision;
  TextOverrides text;
  // Of the input's channels, after scaling to [0, 1]. Not given: those of the weights that the image encoder
  // comes from, where their file says them, else CLIP's.
  std::optional<std::vector<double>> mean, std;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ModelConfig, (),
                      (arch, weights, init, frames, fusion, fusion_layers, fusion_position_std, embed_dim,
                       vision, text, mean, std))

// What the modules are built from.
struct VisionTransformerConfig {
  std::int64_t image_size = 224, patch_size = 32, width = 768, layers = 12, heads = 12, output_dim = 512;
};
BOOST_DESCRIBE_STRUCT(VisionTransformerConfig, (), (image_size, patch_size, width, layers, heads, output_dim))

struct TextTransformerConfig {
  std::int64_t context_length = 77, vocabulary_size = 49408, width = 512, layers = 12, heads = 8,
               output_dim = 512;
};
BOOST_DESCRIBE_STRUCT(TextTransformerConfig, (),
                      (context_length, vocabulary_size, width, layers, heads, output_dim))

struct TemporalFusionConfig {
  FusionType type = FusionType::Transf;
  std::int64_t width = 512, layers = 6, heads = 8, frames = 8;
  double position_std = 0.02;  // of the start alone: not described, so that weights files do not carry it
};
BOOST_DESCRIBE_STRUCT(TemporalFusionConfig, (), (type, width, layers, heads, frames))

struct ActionClipConfig {
  VisionTransformerConfig vision;
  TextTransformerConfig text;
  TemporalFusionConfig fusion;
  std::vector<double> mean = {0.48145466, 0.4578275, 0.40821073};  // CLIP's
  std::vector<double> std = {0.26862954, 0.26130258, 0.27577711};
};
BOOST_DESCRIBE_STRUCT(ActionClipConfig, (), (vision, text, fusion, mean, std))

// What learns in a step; logit_scale apart from the text encoder, which may be frozen without it.
struct TrainedParts {
  bool image = true, text = true, fusion = true, logit_scale = true;
};

// Names of the known architectures ("ViT-B/32", ...).
std::vector<std::string> architecture_names();

// `arch` with the overrides applied. Throws ConfigError on an unknown name or sizes that do not fit together.
ActionClipConfig resolve(const ModelConfig& config);

// For sizes that come from a file: throws ConfigError, naming every size, unless they lie in the range of the
// settings and fit together, so that a model can be built from them.
void require_buildable(const ActionClipConfig& sizes);

}  // namespace actionclip
