#include "actionclip/model/config.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

ModelConfig read(const std::string& text) { return read_config<ModelConfig>(parse_yaml(text, "a.yaml")); }

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kTiny =
    "arch: custom\nembed_dim: 32\nframes: 4\n"
    "vision: {image_size: 32, patch_size: 8, width: 64, layers: 2, heads: 2}\n"
    "text: {context_length: 16, vocabulary_size: 100, width: 32, layers: 2, heads: 4}\n";

TEST(Resolve, KnowsTheSizesOfClip) {
  EXPECT_THAT(architecture_names(), IsSupersetOf({"ViT-B/32", "ViT-B/16", "ViT-L/14", "ViT-L/14@336px"}));
  ModelConfig config;
  config.arch = "ViT-L/14@336px";
  const auto sizes = resolve(config);
  EXPECT_EQ(sizes.vision.image_size, 336);
  EXPECT_EQ(sizes.vision.patch_size, 14);
  EXPECT_EQ(sizes.vision.width, 1024);
  EXPECT_EQ(sizes.vision.layers, 24);
  EXPECT_EQ(sizes.vision.heads, 16);
  EXPECT_EQ(sizes.vision.output_dim, 768);
  EXPECT_EQ(sizes.text.width, 768);
  EXPECT_EQ(sizes.text.heads, 12);
  EXPECT_EQ(sizes.text.output_dim, 768);
  EXPECT_EQ(sizes.fusion.width, 768);
  EXPECT_EQ(sizes.fusion.heads, 12);
  EXPECT_EQ(sizes.fusion.layers, 6);
}

TEST(Resolve, HeadsOfANamedArchitectureAreThoseThatItsWidthLetsExpect) {
  for (const auto& name : architecture_names()) {
    ModelConfig config;
    config.arch = name;
    const auto sizes = resolve(config);
    const auto attended = sizes.vision.is_resnet() ? 32 * sizes.vision.width : sizes.vision.width;
    EXPECT_EQ(sizes.vision.heads, default_heads(attended)) << name;
    EXPECT_EQ(sizes.text.width, sizes.text.heads * 64) << name;
  }
}

TEST(Resolve, OpenClipsNamesHaveGeluAndTheirQuickgeluVariantsCLIPs) {
  const auto activation_of = [](const std::string& name) {
    ModelConfig config;
    config.arch = name;
    const auto sizes = resolve(config);
    EXPECT_EQ(sizes.vision.activation, sizes.text.activation) << name;
    return sizes.text.activation;
  };
  EXPECT_EQ(activation_of("ViT-B-32"), Activation::gelu);
  EXPECT_EQ(activation_of("ViT-B-32-quickgelu"), Activation::quick_gelu);
  EXPECT_EQ(activation_of("ViT-B/32"), Activation::quick_gelu);
  EXPECT_EQ(activation_of("RN50"), Activation::quick_gelu);
}

TEST(Resolve, OverridesReplaceSingleSizes) {
  const auto sizes =
      resolve(read("arch: ViT-B/32\nembed_dim: 256\nframes: 16\nvision: {layers: 3}\ntext: {layers: 2}\n"));
  EXPECT_EQ(sizes.vision.layers, 3);
  EXPECT_EQ(sizes.vision.width, 768);
  EXPECT_EQ(sizes.text.layers, 2);
  EXPECT_EQ(sizes.vision.output_dim, 256);
  EXPECT_EQ(sizes.text.output_dim, 256);
  EXPECT_EQ(sizes.fusion.width, 256);
  EXPECT_EQ(sizes.fusion.frames, 16);
}

TEST(Resolve, HeadsFollowAWidthThatIsGiven) {
  const auto sizes = resolve(read("vision: {width: 192}\ntext: {width: 256}\n"));
  EXPECT_EQ(sizes.vision.heads, 3);
  EXPECT_EQ(sizes.text.heads, 4);
  EXPECT_EQ(sizes.fusion.heads, 4);
  EXPECT_EQ(resolve(read("vision: {width: 32}\n")).vision.heads, 1);
}

TEST(Resolve, ACustomArchitectureIsItsOverrides) {
  const auto sizes = resolve(read(kTiny));
  EXPECT_EQ(sizes.vision.image_size, 32);
  EXPECT_EQ(sizes.vision.heads, 2);
  EXPECT_EQ(sizes.text.vocabulary_size, 100);
  EXPECT_EQ(sizes.text.context_length, 16);
  EXPECT_EQ(sizes.fusion.heads, 4);
}

TEST(Resolve, ThrowsWhatAReaderWouldHaveFound) {
  ModelConfig config;
  config.arch = "ViT-B/8";
  config.frames = 0;
  try {
    resolve(config);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.arch: unknown architecture 'ViT-B/8'"));
    EXPECT_THAT(error.what(), HasSubstr("\nmodel.frames: must lie between 1 and 4096, found 0"));
  }
}

TEST(ModelConfig, AnUnknownArchitectureNamesTheNearest) {
  EXPECT_EQ(error_of("arch: ViT-B16\n"),
            "a.yaml:1:7: arch: unknown architecture 'ViT-B16', did you mean 'ViT-B/16'?");
  EXPECT_EQ(error_of("arch: ResNet\n"),
            "a.yaml:1:7: arch: unknown architecture 'ResNet', known are ViT-B/16, ViT-H-14, RN50, custom and "
            "more, which `actionclip convert --help` lists");
}

TEST(ModelConfig, ACustomArchitectureNeedsEverySize) {
  const auto message =
      error_of("arch: custom\nvision: {image_size: 32, patch_size: 8, width: 64, layers: 2}\n");
  for (const auto* key :
       {"embed_dim", "text.context_length", "text.vocabulary_size", "text.width", "text.layers"}) {
    EXPECT_THAT(message, HasSubstr(std::string(key) + ": must be given for arch custom"));
  }
  EXPECT_THAT(message, ::testing::Not(HasSubstr("vision")));
}

TEST(ModelConfig, SizesMustFitTogether) {
  EXPECT_EQ(error_of("vision: {image_size: 225}"),
            "a.yaml:1:22: vision.image_size: 225 is not a multiple of vision.patch_size = 16");
  EXPECT_EQ(error_of("vision: {patch_size: 15}"),
            "a.yaml:1:22: vision.patch_size: 15 does not divide vision.image_size = 224");
  EXPECT_EQ(error_of("vision: {width: 100, heads: 3}"),
            "a.yaml:1:29: vision.heads: 3 does not divide vision.width = 100");
  EXPECT_EQ(error_of("vision: {width: 129}"),
            "a.yaml:1:17: vision.width: 129 is not a multiple of vision.heads = 2");
  EXPECT_EQ(error_of("text: {heads: 7}"), "a.yaml:1:15: text.heads: 7 does not divide text.width = 512");
  EXPECT_EQ(error_of("embed_dim: 100"), "a.yaml:1:12: embed_dim: 100 is not a multiple of text.heads = 8");
  EXPECT_EQ(error_of("embed_dim: 100\nfusion: meanP"), "no error");
  EXPECT_EQ(error_of("vision: {patch_size: 0}"),
            "a.yaml:1:22: vision.patch_size: must lie between 1 and 8192, found 0");
  EXPECT_THAT(error_of("text: {layers: 99999999999}"), HasSubstr("text.layers: must lie between"));
}

TEST(ModelConfig, TransfTakesNoMoreFramesThanItHasPositions) {
  EXPECT_EQ(error_of("frames: 77"), "no error");
  EXPECT_EQ(error_of("frames: 78"), "a.yaml:1:9: frames: fusion Transf takes at most 77 frames, found 78");
  EXPECT_EQ(error_of("frames: 78\nfusion: meanP"), "no error");
}

TEST(ModelConfig, ThePositionsOfTransfStartAtTheMethodsDeviationUnlessOneIsGiven) {
  EXPECT_EQ(resolve(read("frames: 8")).fusion.position_std, 0.02);
  EXPECT_EQ(resolve(read("fusion_position_std: 0.5")).fusion.position_std, 0.5);
  EXPECT_EQ(error_of("fusion_position_std: 0"),
            "a.yaml:1:22: fusion_position_std: must be greater than 0, found 0");
}

TEST(ActionClipConfig, TheStartOfThePositionsIsNoPartOfTheArchitectureThatWeightsCarry) {
  const auto sizes = resolve(read("fusion_position_std: 0.5"));
  EXPECT_EQ(write_config(sizes), write_config(resolve(read("frames: 8"))));
}

TEST(ModelConfig, MeanAndStdHaveThreeUsableValues) {
  EXPECT_EQ(error_of("mean: [0.5]"), "a.yaml:1:7: mean: needs 3 values (red, green, blue), found 1");
  EXPECT_EQ(error_of("std: [0.5, 0, 0.5]"), "a.yaml:1:6: std: must be greater than 0, found 0");
}

TEST(ModelConfig, WhatCannotBeIsFoundAtItsKey) {
  const std::vector<std::pair<std::string, std::string>> findings = {
      {"joint: true", "fusion: must be meanP with joint: true"},
      {"joint: true\nfusion: meanP\ntemporal_shift: true",
       "temporal_shift: moves tokens between the frames' sequences; with joint: true there is only one"},
      {"arch: RN50\ntemporal_shift: true",
       "temporal_shift: works between the blocks of a vision transformer; a ResNet has none"},
      {"arch: RN50\nfusion: meanP\njoint: true",
       "joint: needs the tokens of a vision transformer; a ResNet has none"},
      {"arch: RN50\ndrop_path: 0.1", "drop_path: is of vision transformers only"},
      {"arch: RN50\nembedding_dropout: 0.1", "embedding_dropout: is of vision transformers only"},
      {"drop_path: 1", "drop_path: must be at least 0 and less than 1, found 1"},
      {"drop_path: -0.1", "drop_path: must be at least 0 and less than 1, found -0.1"},
      {"text_drop_path: 1", "text_drop_path: must be at least 0 and less than 1, found 1"},
      {"text_drop_path: -0.1", "text_drop_path: must be at least 0 and less than 1, found -0.1"},
      {"embedding_dropout: 1", "embedding_dropout: must be at least 0 and less than 1, found 1"},
      {"embedding_dropout: -0.1", "embedding_dropout: must be at least 0 and less than 1, found -0.1"},
      {"arch: RN50\nvision: {stages: [1, 1, 1]}", "vision.stages: needs the blocks of 4 stages, found 3"},
      {"arch: RN50\nvision: {stages: [1, 0, 1, 1]}", "vision.stages: must lie between 1 and 256, found 0"},
      {"arch: RN50\nvision: {width: 63, heads: 32}", "vision.width: must be even, found 63"},
      {"arch: RN50\nvision: {image_size: 240}",
       "vision.image_size: 240 is not a multiple of the ResNet's stride = 32"},
      {"arch: RN50\nvision: {heads: 7}", "vision.heads: 7 does not divide vision.width x 32 = 2048"},
      {"vision: {mlp_width: -1}", "vision.mlp_width: must lie between 1 and 1048576, found -1"},
      {"text: {mlp_width: -1}", "text.mlp_width: must lie between 1 and 1048576, found -1"},
      {"fusion: Transf_cls\nembed_dim: 100",
       "embed_dim: 100 is not a multiple of the heads of Transf_cls = 8"},
      {"fusion: Transf_cls\nfusion_layers: 0", "fusion_layers: must lie between 1 and 1024, found 0"},
      {"text: {end_token: 49408}",
       "text.end_token: must be -1 (the largest id of a text) or an id below text.vocabulary_size = 49408, "
       "found 49408"},
      {"text: {end_token: -2}", "text.end_token: must be -1 (the largest id of a text)"},
      {"context: {length: 76}",
       "context.length: must lie between 0 and 75 (text.context_length less start and end), found 76"},
      {"text: {context_length: 8}\ncontext: {length: 7}", "context.length: must lie between 0 and 6 "},
      {"context: {length: -1}", "context.length: must lie between 0 and 75 "},
  };
  for (const auto& [text, finding] : findings) {
    const auto found = error_of(text);
    EXPECT_THAT(found, HasSubstr(": " + finding)) << text;
    EXPECT_EQ(std::ranges::count(found, '\n'), 0) << text << ": nothing else is wrong";
  }
}

TEST(ModelConfig, WhatLiesAtTheEdgeIsNoFinding) {
  for (const char* text :
       {"joint: true\nfusion: meanP", "arch: RN50\ntext_drop_path: 0.1", "drop_path: 0.99",
        "embedding_dropout: 0", "arch: RN50\nvision: {width: 64, stages: [1, 1, 1, 256], image_size: 32}",
        "fusion: meanP\nfusion_layers: 0", "fusion: Transf_cls\nembed_dim: 104", "text: {end_token: 49407}",
        "text: {end_token: 0}", "text: {end_token: -1}", "context: {length: 75}", "vision: {mlp_width: 0}"})
    EXPECT_EQ(error_of(text), "no error") << text;
}

// Sizes of a file, which the settings cannot say.
TEST(RequireBuildable, NamesWhatNoModelHas) {
  using Change = void (*)(ActionClipConfig&);
  std::vector<std::pair<Change, std::string>> findings = {
      {[](ActionClipConfig& sizes) { sizes.vision.joint_frames = 4; },
       "joint: the time positions must be those of 8 frames, found 4"},
      {[](ActionClipConfig& sizes) { sizes.vision.joint_frames = -1; },
       "joint: the time positions must be those of 8 frames, found -1"},
      {[](ActionClipConfig& sizes) { sizes.classes = -1; },
       "classes: must lie between 0 and 16777216, found -1"},
      {[](ActionClipConfig& sizes) { sizes.context.classes = -1; },
       "context.classes: must lie between 0 and 16777216, found -1"},
      {[](ActionClipConfig& sizes) { sizes.text.output_dim = 256; },
       "text.output_dim: must be vision.output_dim = 512, found 256"},
      {[](ActionClipConfig& sizes) { sizes.fusion.width = 256; },
       "fusion.width: must be vision.output_dim = 512, found 256"},
      {[](ActionClipConfig& sizes) { sizes.fusion.heads = 4; },
       "fusion.heads: must be text.heads = 8, found 4"},
      {[](ActionClipConfig& sizes) { sizes.mean = {0.5}; }, "mean: needs 3 values"},
  };
  const auto resnet_of_7_heads = [](ActionClipConfig& sizes) {
    sizes.vision.stages = {3, 4, 6, 3};
    sizes.vision.width = 64;
    sizes.vision.heads = 7;
  };
  findings.emplace_back(resnet_of_7_heads,
                        "vision.width: 64 x 32 = 2048 is not a multiple of vision.heads = 7");
  for (const auto& [change, finding] : findings) {
    auto sizes = resolve(read("fusion: meanP"));
    EXPECT_NO_THROW(require_buildable(sizes));
    change(sizes);
    try {
      require_buildable(sizes);
      ADD_FAILURE() << "no error: " << finding;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("no model has these sizes: " + finding));
    }
  }
}

TEST(RequireBuildable, TheTransfHeadHasPositionsAndAnEpsilon) {
  auto sizes = resolve(read("fusion: Transf"));
  sizes.fusion.positions = 0;
  sizes.fusion.layer_norm_eps = 0;
  try {
    require_buildable(sizes);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("fusion.positions: must lie between 1 and 65536, found 0"));
    EXPECT_THAT(error.what(), HasSubstr("fusion.layer_norm_eps: must be greater than 0, found 0"));
  }
}

}  // namespace
}  // namespace actionclip
