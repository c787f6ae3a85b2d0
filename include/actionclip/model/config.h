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

enum class FusionType { meanP, Conv_1D, LSTM, Transf, Transf_cls };
BOOST_DESCRIBE_ENUM(FusionType, meanP, Conv_1D, LSTM, Transf, Transf_cls)

// How the Conv_1D head lays out [B, T, D] for its convolution over time: `time` transposes it to [B, D, T],
// as the paper means it; `published` reinterprets the memory as [B, D, T], as the published code does.
enum class Conv1dLayout { time, published };
BOOST_DESCRIBE_ENUM(Conv1dLayout, time, published)

// Of the perceptrons in an encoder's blocks. quick_gelu: x sigmoid(1.702 x), OpenAI's; gelu: x Phi(x), with
// the normal distribution's Phi, open_clip's.
enum class Activation { quick_gelu, gelu };
BOOST_DESCRIBE_ENUM(Activation, quick_gelu, gelu)

// What matrix products are computed in; weights stay fp32.
enum class Precision { fp32, bf16, fp16 };
BOOST_DESCRIBE_ENUM(Precision, fp32, bf16, fp16)

// Rows of the Transf head's frame positions: the published head re-uses CLIP's context length.
inline constexpr std::int64_t kFusionPositions = 77;

// Heads and width of the perceptrons in the Transf_cls head.
inline constexpr std::int64_t kClassTokenHeads = 8;
inline constexpr std::int64_t kClassTokenMlpWidth = 2048;

// Channels behind a modified ResNet's last stage, in stem widths.
inline constexpr std::int64_t kResNetExpansion = 32;

// TextTransformerConfig::end_token: the largest token id of a text is its end, as in CLIP's vocabulary.
inline constexpr std::int64_t kLargestToken = -1;

// Heads of an encoder of which only the width is known: CLIP's models have heads of 64, open_clip's largest
// image encoders others.
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
  std::optional<std::int64_t> image_size, patch_size, width, layers, heads, mlp_width;
  std::optional<bool> layer_scale;
  std::optional<std::vector<std::int64_t>> stages;
};
BOOST_DESCRIBE_STRUCT(VisionOverrides, (),
                      (image_size, patch_size, width, layers, heads, mlp_width, layer_scale, stages))

struct TextOverrides {
  std::optional<std::int64_t> context_length, vocabulary_size, width, layers, heads, mlp_width, end_token;
  std::optional<bool> layer_scale;
};
BOOST_DESCRIBE_STRUCT(TextOverrides, (),
                      (context_length, vocabulary_size, width, layers, heads, mlp_width, end_token,
                       layer_scale))

// Where the learned vectors of a prompt stand: before the label, on both sides of it, or behind it.
enum class ContextPosition { begin, middle, end };
BOOST_DESCRIBE_ENUM(ContextPosition, begin, middle, end)

// Learned context (CoOp, Zhou et al. 2022): vectors that stand for words of the prompt.
struct ContextConfig {
  std::int64_t length = 0;      // vectors of a prompt; 0: none, prompts come from the templates
  bool class_specific = false;  // each label has its own vectors
  ContextPosition position = ContextPosition::begin;
  std::string init;  // words whose embeddings the vectors start from, `length` tokens; empty: N(0, 0.02)
};
BOOST_DESCRIBE_STRUCT(ContextConfig, (), (length, class_specific, position, init))

struct ModelConfig {
  std::string arch = "ViT-B/16";  // one of architecture_names(), or "custom"
  InputPath weights;              // the start; a file of any supported scheme, or a run's checkpoint
  InitConfig init;
  std::int64_t frames = 8;  // T
  FusionType fusion = FusionType::Transf;
  std::int64_t fusion_layers = 6;  // Transf and Transf_cls
  Conv1dLayout conv1d_layout = Conv1dLayout::time;
  // Standard deviation that the frame positions of Transf and Transf_cls start from. 0.02 is the method's,
  // meant for CLIP's frame features (about 0.4 a dimension). Those of a tower trained from scratch come to
  // about 1, beside which so small positions are learnt late: start them larger there. Matters only where the
  // head starts fresh.
  double fusion_position_std = 0.02;
  bool temporal_shift = false;   // in-network prompt: patch tokens move along time before every image block
  bool joint = false;            // pre-network prompt: the image encoder sees all T frames as one sequence
  double drop_path = 0;          // of the image encoder's last block; grows linearly from 0 at its first
  double text_drop_path = 0;     // the same of the text encoder
  double embedding_dropout = 0;  // of the image encoder's embedded patches
  std::optional<Activation> activation;  // of both encoders; not given: the architecture's
  ContextConfig context;
  bool classifier = false;  // a linear classifier of the labels (1-of-N), instead of matching their texts
  std::int64_t labels = 0;  // of the data's label set; whoever knows it fills it in, it is no key of a file
  std::optional<std::int64_t> embed_dim;  // D
  VisionOverrides vision;
  TextOverrides text;
  // Of the input's channels, after scaling to [0, 1]. Not given: those of the weights that the image encoder
  // comes from, where their file says them, else CLIP's.
  std::optional<std::vector<double>> mean, std;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ModelConfig, (),
                      (arch, weights, init, frames, fusion, fusion_layers, conv1d_layout, fusion_position_std,
                       temporal_shift, joint, drop_path, text_drop_path, embedding_dropout, activation,
                       context, classifier, embed_dim, vision, text, mean, std))

// What the modules are built from. What only training needs (drop_path, dropout, position_std) is not
// described, so that weights files do not carry it.
struct VisionConfig {
  std::int64_t image_size = 224, patch_size = 32, width = 768, layers = 12, heads = 12, output_dim = 512;
  std::int64_t mlp_width = 0;  // 0: 4 width
  Activation activation = Activation::quick_gelu;
  bool layer_scale = false;  // a learned factor for each channel behind attention and perceptron
  // Blocks of the four stages of CLIP's modified ResNet, of stem width `width`; it has no patch_size, layers,
  // mlp_width. Empty: a vision transformer.
  std::vector<std::int64_t> stages;
  bool temporal_shift = false;
  std::int64_t joint_frames = 0;  // T of joint space-time attention; 0: each frame by itself
  double drop_path = 0, embedding_dropout = 0;

  bool is_resnet() const { return !stages.empty(); }
};
BOOST_DESCRIBE_STRUCT(VisionConfig, (),
                      (image_size, patch_size, width, layers, heads, output_dim, mlp_width, activation,
                       layer_scale, stages, temporal_shift, joint_frames))

struct TextTransformerConfig {
  std::int64_t context_length = 77, vocabulary_size = 49408, width = 512, layers = 12, heads = 8,
               output_dim = 512;
  std::int64_t mlp_width = 0;  // 0: 4 width
  Activation activation = Activation::quick_gelu;
  bool layer_scale = false;
  std::int64_t end_token = kLargestToken;  // the feature is taken at its first place
  double drop_path = 0;
};
BOOST_DESCRIBE_STRUCT(TextTransformerConfig, (),
                      (context_length, vocabulary_size, width, layers, heads, output_dim, mlp_width,
                       activation, layer_scale, end_token))

struct TemporalFusionConfig {
  FusionType type = FusionType::Transf;
  std::int64_t width = 512, layers = 6, heads = 8, frames = 8;
  std::int64_t positions = kFusionPositions;  // Transf: rows of its frame positions
  double layer_norm_eps = 1e-12;              // Transf
  Conv1dLayout conv1d_layout = Conv1dLayout::time;
  double position_std = 0.02;
};
BOOST_DESCRIBE_STRUCT(TemporalFusionConfig, (),
                      (type, width, layers, heads, frames, positions, layer_norm_eps, conv1d_layout))

struct LearnedContextConfig {
  std::int64_t length = 0;   // 0: none
  std::int64_t classes = 0;  // 0: all labels share the vectors
  ContextPosition position = ContextPosition::begin;
};
BOOST_DESCRIBE_STRUCT(LearnedContextConfig, (), (length, classes, position))

struct ActionClipConfig {
  VisionConfig vision;
  TextTransformerConfig text;
  TemporalFusionConfig fusion;
  LearnedContextConfig context;
  std::int64_t classes = 0;  // of the linear classifier; 0: there is none
  std::vector<double> mean = {0.48145466, 0.4578275, 0.40821073};  // CLIP's
  std::vector<double> std = {0.26862954, 0.26130258, 0.27577711};
};
BOOST_DESCRIBE_STRUCT(ActionClipConfig, (), (vision, text, fusion, context, classes, mean, std))

// What learns in a step; logit_scale apart from the text encoder, which may be frozen without it.
struct TrainedParts {
  bool image = true, text = true, fusion = true, context = true, classifier = true, logit_scale = true;
  // Of an encoder that learns: its last so many blocks alone, with what follows them. Not given: all of it.
  std::optional<std::int64_t> image_blocks, text_blocks;
};

// Width of the hidden layer of a block's perceptron, for VisionConfig::mlp_width or its likes.
std::int64_t mlp_width_of(std::int64_t mlp_width, std::int64_t width);

// Whether the head is a transformer, of TemporalFusionConfig::layers blocks.
bool has_fusion_layers(FusionType type);

// Names of the known architectures ("ViT-B/32", ...).
std::vector<std::string> architecture_names();

// `arch` with the overrides applied. Throws ConfigError on an unknown name or sizes that do not fit together.
ActionClipConfig resolve(const ModelConfig& config);

// For sizes that come from a file: throws ConfigError, naming every size, unless they lie in the range of the
// settings and fit together, so that a model can be built from them.
void require_buildable(const ActionClipConfig& sizes);

}  // namespace actionclip
