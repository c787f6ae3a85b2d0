#include "actionclip/train/encoder_layers.h"

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(EncoderLayers, AVisionTransformerBeginsWithItsEmbeddingsAndEndsWithItsProjection) {
  VisionConfig vision;
  vision.layers = 12;
  EXPECT_EQ(count_blocks(vision), 12);
  for (const auto* name : {"visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding",
                           "visual.ln_pre.bias", "visual.time_embedding"}) {
    EXPECT_EQ(layer_of(name, vision), 0) << name;
  }
  EXPECT_EQ(layer_of("visual.transformer.resblocks.0.ln_1.weight", vision), 1);
  EXPECT_EQ(layer_of("visual.transformer.resblocks.11.mlp.c_fc.bias", vision), 12);
  EXPECT_EQ(layer_of("visual.ln_post.weight", vision), 13);
  EXPECT_EQ(layer_of("visual.proj", vision), 13);
}

TEST(EncoderLayers, AResNetsBlocksAreCountedOverItsStages) {
  VisionConfig vision;
  vision.stages = {3, 4, 6, 3};
  EXPECT_EQ(count_blocks(vision), 16);
  for (const auto* name : {"visual.conv1.weight", "visual.bn3.running_mean"}) {
    EXPECT_EQ(layer_of(name, vision), 0) << name;
  }
  EXPECT_EQ(layer_of("visual.layer1.0.conv1.weight", vision), 1);
  EXPECT_EQ(layer_of("visual.layer1.2.bn1.weight", vision), 3);
  EXPECT_EQ(layer_of("visual.layer2.0.downsample.0.weight", vision), 4);
  EXPECT_EQ(layer_of("visual.layer4.2.conv3.weight", vision), 16);
  EXPECT_EQ(layer_of("visual.attnpool.c_proj.weight", vision), 17);
}

TEST(EncoderLayers, TheTextEncoderBeginsWithItsEmbeddingsAndEndsWithItsProjection) {
  TextTransformerConfig text;
  text.layers = 2;
  EXPECT_EQ(count_blocks(text), 2);
  EXPECT_EQ(layer_of("token_embedding.weight", text), 0);
  EXPECT_EQ(layer_of("positional_embedding", text), 0);
  EXPECT_EQ(layer_of("transformer.resblocks.0.attn.in_proj_weight", text), 1);
  EXPECT_EQ(layer_of("transformer.resblocks.1.ln_2.bias", text), 2);
  EXPECT_EQ(layer_of("ln_final.weight", text), 3);
  EXPECT_EQ(layer_of("text_projection", text), 3);
}

}  // namespace
}  // namespace actionclip
