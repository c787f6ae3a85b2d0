#include "actionclip/train/parameter_groups.h"

#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

std::map<std::string, ParameterGroup> groups_of(ActionClip& model, TrainTask task, bool fix_text) {
  TrainConfig config;
  config.task = task;
  config.lr_ratio = {.image = 2, .fusion = 10, .context = 3};
  std::map<std::string, ParameterGroup> groups;
  for (auto& group : trainable_groups(model, config, fix_text)) groups.emplace(group.name, group);
  return groups;
}

bool learns(const ActionClip& model, const std::string& name) {
  return model->named_parameters()[name].requires_grad();
}

TEST(TrainableGroups, FinetuningTrainsEverythingInThreeGroups) {
  ActionClip model(small_sizes());
  const auto groups = groups_of(model, TrainTask::finetune, /*fix_text=*/false);
  ASSERT_EQ(groups.size(), 3u);
  std::size_t parameters = 0;
  for (const auto& [name, group] : groups) parameters += group.parameters.size();
  EXPECT_EQ(parameters, model->named_parameters().size());
  EXPECT_EQ(groups.at("text").lr_ratio, 1);
  EXPECT_EQ(groups.at("image").lr_ratio, 2);
  EXPECT_EQ(groups.at("fusion").lr_ratio, 10);
}

TEST(TrainableGroups, FixTextFreezesTheTextEncoderButNotTheLogitScale) {
  ActionClip model(small_sizes());
  const auto groups = groups_of(model, TrainTask::finetune, /*fix_text=*/true);
  EXPECT_THAT(groups.at("text").names, ElementsAre("logit_scale"));
  EXPECT_TRUE(learns(model, "logit_scale"));
  EXPECT_FALSE(learns(model, "text_projection"));
  EXPECT_FALSE(learns(model, "token_embedding.weight"));
  EXPECT_TRUE(learns(model, "visual.proj"));
  EXPECT_TRUE(groups_of(model, TrainTask::pretrain, /*fix_text=*/true).contains("text"));
}

TEST(TrainableGroups, ThePromptStageTrainsTheFusionAlone) {
  ActionClip model(small_sizes());
  const auto groups = groups_of(model, TrainTask::prompt, /*fix_text=*/false);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_TRUE(groups.contains("fusion"));
  EXPECT_FALSE(learns(model, "logit_scale"));
}

// Two image and three text blocks.
ActionClipConfig deeper_sizes() {
  auto sizes = small_sizes();
  sizes.vision.layers = 2;
  sizes.text.layers = 3;
  return sizes;
}

std::vector<std::string> learning(const ActionClip& model, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& parameter : model->named_parameters()) {
    if (parameter.key().starts_with(prefix) && parameter.value().requires_grad())
      names.push_back(parameter.key());
  }
  return names;
}

TEST(TrainableGroups, TheLastBlocksLearnWithWhatFollowsThem) {
  ActionClip model(deeper_sizes());
  TrainConfig config;
  config.image_blocks = 1;
  config.text_blocks = 2;
  trainable_groups(model, config, /*fix_text=*/false);
  for (const auto* name : {"visual.transformer.resblocks.1.ln_1.weight", "visual.ln_post.bias", "visual.proj",
                           "transformer.resblocks.1.mlp.c_fc.bias", "transformer.resblocks.2.ln_2.weight",
                           "ln_final.weight", "text_projection", "logit_scale"}) {
    EXPECT_TRUE(learns(model, name)) << name;
  }
  for (const auto* name :
       {"visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding",
        "visual.ln_pre.weight", "visual.transformer.resblocks.0.ln_1.weight", "token_embedding.weight",
        "positional_embedding", "transformer.resblocks.0.attn.in_proj_weight"}) {
    EXPECT_FALSE(learns(model, name)) << name;
  }
}

TEST(TrainableGroups, AllBlocksLeaveTheEmbeddingsFrozen) {
  ActionClip model(deeper_sizes());
  TrainConfig config;
  config.image_blocks = 2;
  trainable_groups(model, config, /*fix_text=*/false);
  EXPECT_TRUE(learns(model, "visual.transformer.resblocks.0.ln_1.weight"));
  EXPECT_FALSE(learns(model, "visual.conv1.weight"));
  EXPECT_FALSE(learns(model, "visual.ln_pre.weight"));
}

TEST(TrainableGroups, NoBlocksFreezeAnEncoder) {
  ActionClip model(deeper_sizes());
  TrainConfig config;
  config.image_blocks = 0;
  config.text_blocks = 0;
  config.fix_fusion = true;
  const auto groups = trainable_groups(model, config, /*fix_text=*/false);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_THAT(groups[0].names, ElementsAre("logit_scale"));
}

TEST(TrainableGroups, AClassifierLearnsWithoutTheTextsSide) {
  auto sizes = deeper_sizes();
  sizes.classes = 5;
  ActionClip model(sizes);
  TrainConfig config;
  config.lr_ratio.classifier = 7;
  config.image_blocks = 0;
  config.fix_fusion = true;
  const auto probe = trainable_groups(model, config, /*fix_text=*/false);
  ASSERT_EQ(probe.size(), 1u);
  EXPECT_EQ(probe[0].name, "classifier");
  EXPECT_EQ(probe[0].lr_ratio, 7);
  EXPECT_THAT(probe[0].names, ElementsAre("classifier.weight", "classifier.bias"));
  trainable_groups(model, TrainConfig(), /*fix_text=*/false);
  EXPECT_TRUE(learns(model, "visual.conv1.weight"));
  EXPECT_TRUE(learning(model, "transformer.").empty());
  EXPECT_FALSE(learns(model, "logit_scale"));
}

TEST(TrainableGroups, EachLayerLearnsAtItsShareOfTheRate) {
  ActionClip model(deeper_sizes());
  TrainConfig config;
  config.layer_decay = 0.5;
  config.lr_ratio = {.image = 2, .fusion = 10};
  std::map<std::string, ParameterGroup> groups;
  for (auto& group : trainable_groups(model, config, /*fix_text=*/false)) groups.emplace(group.name, group);
  EXPECT_EQ(groups.size(), 4u + 5u + 1u);
  EXPECT_EQ(groups.at("image.layer0").lr_ratio, 2 * 0.125);
  EXPECT_EQ(groups.at("image.layer2").lr_ratio, 2 * 0.5);
  EXPECT_EQ(groups.at("image.layer3").lr_ratio, 2);
  EXPECT_EQ(groups.at("text.layer0").lr_ratio, 0.0625);
  EXPECT_EQ(groups.at("text.layer4").lr_ratio, 1);
  EXPECT_THAT(groups.at("text.layer4").names, Contains("logit_scale"));
  EXPECT_EQ(groups.at("fusion").lr_ratio, 10);
  std::size_t parameters = 0;
  for (const auto& [name, group] : groups) parameters += group.parameters.size();
  EXPECT_EQ(parameters, model->named_parameters().size());
}

TEST(TrainableGroups, ALearnedContextIsAGroupOfItsOwnAlsoBesideAFrozenTextEncoder) {
  auto sizes = small_sizes();
  sizes.context.length = 2;
  ActionClip model(sizes);
  const auto prompt = groups_of(model, TrainTask::prompt, /*fix_text=*/false);
  ASSERT_EQ(prompt.size(), 2u);
  EXPECT_THAT(prompt.at("context").names, ElementsAre("context.vectors"));
  EXPECT_EQ(prompt.at("context").lr_ratio, 3);
  EXPECT_FALSE(learns(model, "token_embedding.weight"));
  const auto finetune = groups_of(model, TrainTask::finetune, /*fix_text=*/true);
  EXPECT_THAT(finetune.at("text").names, ElementsAre("logit_scale"));
  EXPECT_TRUE(finetune.contains("context"));
  EXPECT_EQ(groups_of(model, TrainTask::finetune, /*fix_text=*/false).size(), 4u);
}

TEST(TrainableGroups, PretrainingLeavesTheFusionOut) {
  ActionClip model(small_sizes());
  EXPECT_FALSE(groups_of(model, TrainTask::pretrain, /*fix_text=*/false).contains("fusion"));
  EXPECT_FALSE(learns(model, "fusion.transformer.resblocks.0.mlp.c_fc.weight"));
}

}  // namespace
}  // namespace actionclip
