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

using ::testing::ElementsAre;

std::map<std::string, ParameterGroup> groups_of(ActionClip& model, TrainTask task, bool fix_text) {
  TrainConfig config;
  config.task = task;
  config.lr_ratio = {.image = 2, .fusion = 10};
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

TEST(TrainableGroups, PretrainingLeavesTheFusionOut) {
  ActionClip model(small_sizes());
  EXPECT_FALSE(groups_of(model, TrainTask::pretrain, /*fix_text=*/false).contains("fusion"));
  EXPECT_FALSE(learns(model, "fusion.transformer.resblocks.0.mlp.c_fc.weight"));
}

}  // namespace
}  // namespace actionclip
