// What of the image encoders needs no reference.
#include "actionclip/model/image_encoder.h"

#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/model/vision_transformer.h"
#include "actionclip/weights/initialize.h"

#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

ActionClipConfig joint_sizes() {
  auto sizes = small_sizes();
  sizes.fusion.type = FusionType::meanP;
  sizes.vision.joint_frames = sizes.fusion.frames;
  return sizes;
}

ActionClipConfig resnet_sizes() {
  auto sizes = small_sizes();
  sizes.vision = {.image_size = 32, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 1, 1, 1}};
  return sizes;
}

TEST(JointEncoder, AVideoHasOneFeature) {
  const at::NoGradGuard no_grad;
  at::manual_seed(1);
  ActionClip model(joint_sizes());
  const auto clips = at::randn({3, 4, 3, 32, 32});
  const auto frames = model->encode_frames(clips);
  EXPECT_EQ(frames.sizes(), (std::vector<std::int64_t>{3, 1, 64}));
  EXPECT_TRUE(at::equal(model->encode_video(clips), frames.squeeze(1)));
  EXPECT_EQ(model->encode_frames(clips.narrow(1, 0, 1)).size(1), 1) << "stills, as in pre-training";
  EXPECT_FALSE(at::allclose(model->encode_video(clips.flip(1)), model->encode_video(clips))) << "no order";
}

TEST(JointEncoder, MoreFramesThanItHasPositionsForAreRefused) {
  const at::NoGradGuard no_grad;
  const auto encoder = make_image_encoder(joint_sizes().vision);
  EXPECT_ANY_THROW(encoder->forward(at::zeros({5, 3, 32, 32}), 5));
  EXPECT_ANY_THROW(encoder->forward(at::zeros({5, 3, 32, 32}), 2)) << "not whole videos";
}

TEST(ImageEncoder, ImagesOfAnotherSizeAreRefused) {
  const at::NoGradGuard no_grad;
  for (const auto& sizes : {small_sizes(), resnet_sizes()})
    EXPECT_ANY_THROW(make_image_encoder(sizes.vision)->forward(at::zeros({1, 3, 64, 64}), 1));
}

TEST(ImageEncoder, NamesOfWhatIsOptionalAreThoseOfOpenClipAndTheMethod) {
  const auto joint = state_dict(ActionClip(joint_sizes()));
  EXPECT_EQ(joint.at("visual.time_embedding").sizes(), (std::vector<std::int64_t>{4, 64}));
  auto sizes = small_sizes();
  sizes.vision.layer_scale = sizes.text.layer_scale = true;
  sizes.vision.mlp_width = 40;
  const auto scaled = state_dict(ActionClip(sizes));
  for (const char* block : {"visual.transformer.resblocks.0.", "transformer.resblocks.0."}) {
    for (const char* factor : {"ls_1.gamma", "ls_2.gamma"})
      EXPECT_TRUE(at::equal(scaled.at(std::string(block) + factor), at::full({64}, 1e-4)));
  }
  EXPECT_EQ(scaled.at("visual.transformer.resblocks.0.mlp.c_fc.weight").size(0), 40);
  const auto plain = state_dict(ActionClip(small_sizes()));
  for (const auto& [name, tensor] : plain) {
    EXPECT_EQ(name.find("ls_"), std::string::npos);
    EXPECT_NE(name, "visual.time_embedding");
  }
}

// Behind the positions and before ln_pre: with no block the feature is that of the class token alone.
TEST(EmbeddingDropout, TrainingDropsValuesOfTheEmbeddedTokensAndEvaluationNone) {
  const at::NoGradGuard no_grad;
  auto config = small_sizes().vision;
  config.layers = 0;
  config.embedding_dropout = 0.5;
  at::manual_seed(3);
  VisionTransformer encoder(config);
  const auto images = at::zeros({6, 3, 32, 32});
  const auto class_token = (encoder->class_embedding + encoder->positional_embedding[0]).expand({6, 1, 64});
  const auto patches = encoder->positional_embedding.narrow(0, 1, 4).expand({6, 4, 64});
  const auto tokens = at::cat({class_token, patches}, 1);
  const auto feature_of = [&](const at::Tensor& embedded) {
    return at::matmul(encoder->ln_post(encoder->ln_pre(embedded.select(1, 0))), encoder->proj);
  };
  at::manual_seed(4);
  const auto dropped = encoder->forward(images, 1);
  at::manual_seed(4);
  EXPECT_TRUE(at::allclose(dropped, feature_of(at::dropout(tokens, 0.5, true)), 1e-4, 1e-5));
  encoder->eval();
  EXPECT_TRUE(at::allclose(encoder->forward(images, 1), feature_of(tokens), 1e-4, 1e-5));
}

// Draws of the model in training come from the default generator, which whoever trains seeds.
TEST(Regularisation, TheSameSeedGivesTheSameFeatures) {
  const at::NoGradGuard no_grad;
  auto config = small_sizes().vision;
  config.layers = 3;
  config.drop_path = config.embedding_dropout = 0.4;
  const auto encoder = make_image_encoder(config);
  const auto images = at::randn({8, 3, 32, 32});
  const auto with_seed = [&](std::uint64_t seed) {
    at::manual_seed(seed);
    return encoder->forward(images, 1);
  };
  const auto first = with_seed(1);
  EXPECT_TRUE(at::equal(first, with_seed(1)));
  EXPECT_FALSE(at::allclose(first, with_seed(2)));
}

class ResNetModel : public ::testing::Test {
 protected:
  ResNetModel() { at::manual_seed(5); }

  at::Tensor features(ActionClip& model, bool training) {
    const at::NoGradGuard no_grad;
    model->train(training);
    return model->encode_frames(clips_);
  }

  at::Tensor mean_of(const ActionClip& model) {
    return state_dict(model).at("visual.bn1.running_mean").clone();
  }

  ActionClip model_{resnet_sizes()};
  at::Tensor clips_ = at::randn({2, 4, 3, 32, 32});
};

TEST_F(ResNetModel, StartsAsClipsDoes) {
  const auto tensors = state_dict(model_);
  EXPECT_TRUE(at::equal(tensors.at("visual.layer3.0.bn3.weight"), at::zeros({128})));
  EXPECT_TRUE(at::equal(tensors.at("visual.bn3.weight"), at::ones({8})));
  for (const char* name : {"q_proj", "k_proj", "v_proj", "c_proj"}) {
    const auto& weight = tensors.at(std::string("visual.attnpool.") + name + ".weight");
    EXPECT_NEAR(weight.std().item<double>(), 1.0 / 16, 0.003) << name;  // width 256
  }
}

// What a step gathers is part of what is saved.
TEST_F(ResNetModel, TheStateDictBringsBackTheRunningStatistics) {
  const auto fresh = features(model_, /*training=*/false);
  features(model_, /*training=*/true);
  const auto trained = features(model_, /*training=*/false);
  EXPECT_FALSE(at::allclose(trained, fresh));
  EXPECT_EQ(state_dict(model_).at("visual.layer1.0.downsample.1.num_batches_tracked").item<std::int64_t>(),
            1);
  ActionClip other(resnet_sizes());
  load_state_dict(other, state_dict(model_));
  EXPECT_TRUE(at::equal(features(other, /*training=*/false), trained));
}

TEST_F(ResNetModel, AStateDictWithoutThemIsRefused) {
  auto tensors = state_dict(model_);
  tensors.erase("visual.bn2.running_var");
  EXPECT_THROW(load_state_dict(model_, tensors), WeightsError);
}

TEST_F(ResNetModel, WhereTheImageEncoderIsFrozenTrainingLeavesTheStatisticsAsTheyAre) {
  model_->set_trainable(ModelPart::image, false);
  const auto before = mean_of(model_);
  const auto evaluated = features(model_, /*training=*/false);
  EXPECT_TRUE(at::equal(features(model_, /*training=*/true), evaluated));
  EXPECT_TRUE(at::equal(mean_of(model_), before));
  model_->set_trainable(ModelPart::image, true);
  features(model_, /*training=*/true);
  EXPECT_FALSE(at::equal(mean_of(model_), before));
}

TEST_F(ResNetModel, OneValueAChannelIsNoBatchToTrainOn) {
  clips_ = at::randn({1, 1, 3, 32, 32});
  EXPECT_THROW(features(model_, /*training=*/true), Error);
  EXPECT_NO_THROW(features(model_, /*training=*/false));
}

TEST(Positions, OfAnythingButASquareBehindAClassTokenAreRefused) {
  EXPECT_ANY_THROW(resize_positions(at::zeros({6, 4}), 3));
  EXPECT_ANY_THROW(resize_positions(at::zeros({1, 4}), 3));
  EXPECT_ANY_THROW(resize_positions(at::zeros({5}), 3));
  EXPECT_ANY_THROW(resize_time_positions(at::zeros({0, 4}), 3));
  EXPECT_EQ(resize_positions(at::zeros({5, 4}, at::kHalf), 3).scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace actionclip
