#include "actionclip/model/config.h"

#include <string>

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
  EXPECT_THAT(error_of("arch: ResNet\n"), HasSubstr("known: ViT-B/32, ViT-B/16, ViT-L/14, ViT-L/14@336px, "));
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

}  // namespace
}  // namespace actionclip
