// What a step does beside its loss: random numbers, frozen parts, texts that are encoded once, the average.

#include "actionclip/train/learner.h"

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>

#include "actionclip/core/error.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kVideos = 4, kClasses = 3;
constexpr double kRate = 1e-3;

// A head with what differs between training and evaluation: statistics of the batch, and dropout.
class NoisyFusion : public TemporalFusion {
 public:
  explicit NoisyFusion(double dropout) : dropout_(dropout) {
    norm = register_module("norm", torch::nn::BatchNorm1d(small_sizes().fusion.width));
  }

  at::Tensor forward(const at::Tensor& frame_features) override {
    return at::dropout(norm(frame_features.mean(1)), dropout_, is_training());
  }

  torch::nn::BatchNorm1d norm{nullptr};

 private:
  double dropout_;
};

ActionClip make_model(std::int64_t classes = 0) {
  at::manual_seed(4);
  auto sizes = small_sizes();
  sizes.classes = classes;
  return ActionClip(sizes);
}

// Gives the model a head of that kind.
std::shared_ptr<NoisyFusion> put_noisy_fusion(ActionClip& model, double dropout = 0.5) {
  const auto head = std::make_shared<NoisyFusion>(dropout);
  model->fusion = model->replace_module<TemporalFusion>("fusion", head);
  return head;
}

// Tokens [N, L], the largest last.
at::Tensor random_tokens(std::int64_t texts) {
  const auto& text = small_sizes().text;
  auto tokens = at::randint(1, text.vocabulary_size - 1, {texts, text.context_length}, at::kLong);
  tokens.select(1, text.context_length - 1).fill_(text.vocabulary_size - 1);
  return tokens;
}

// `texts`: one a video, or one a class.
TrainBatch make_batch(std::int64_t texts = kVideos, std::uint64_t seed = 0) {
  at::manual_seed(5);
  const auto sizes = small_sizes();
  const auto side = sizes.vision.image_size;
  TrainBatch batch;
  batch.clips = at::randint(0, 256, {kVideos, sizes.fusion.frames, 3, side, side}, at::kByte);
  batch.tokens = random_tokens(texts);
  batch.label_ids = at::tensor({0, 2, 1, 2}, at::kLong);
  batch.seed = seed;
  return batch;
}

StepReport take_step(Learner& learner, const TrainBatch& batch) {
  return learner.step(kRate, [&] { return batch; });
}

Learner make_learner(ActionClip model, const TrainConfig& config, bool fix_text = false) {
  return Learner(std::move(model), config, fix_text, c10::kCPU);
}

TEST(Learner, WhatTheModelDrawsIsAFunctionOfTheBatchsSeed) {
  const auto loss_with = [](std::uint64_t seed) {
    auto model = make_model();
    put_noisy_fusion(model);
    auto learner = make_learner(model, TrainConfig());
    const auto batch = make_batch(kVideos, seed);
    at::manual_seed(seed + 77);  // what was drawn before does not matter
    at::rand({static_cast<std::int64_t>(seed) + 3});
    return take_step(learner, batch).loss;
  };
  EXPECT_EQ(loss_with(1), loss_with(1));
  EXPECT_NE(loss_with(1), loss_with(2));
}

TEST(Learner, WhatIsFrozenTakesPartAsInEvaluation) {
  auto model = make_model();
  const auto head = put_noisy_fusion(model);
  TrainConfig config;
  config.fix_fusion = true;
  auto learner = make_learner(model, config);
  const auto loss = take_step(learner, make_batch(kVideos, 1)).loss;
  EXPECT_FALSE(head->is_training());
  EXPECT_FALSE(head->norm->is_training());
  EXPECT_TRUE(learner.model()->visual->is_training());
  EXPECT_TRUE(at::equal(head->norm->running_mean, at::zeros_like(head->norm->running_mean)));
  auto again = make_model();
  put_noisy_fusion(again);
  auto other = make_learner(again, config);
  EXPECT_EQ(take_step(other, make_batch(kVideos, 2)).loss, loss) << "no dropout";
}

TEST(Learner, WhatLearnsIsInTrainingModeAfterAnEvaluationToo) {
  auto model = make_model();
  const auto head = put_noisy_fusion(model);
  auto learner = make_learner(model, TrainConfig());
  learner.model()->eval();
  take_step(learner, make_batch());
  EXPECT_TRUE(head->norm->is_training());
  EXPECT_FALSE(at::equal(head->norm->running_mean, at::zeros_like(head->norm->running_mean)));
}

TEST(Learner, RunningStatisticsAreRankZerosOnAllRanks) {
  const auto ranks = make_ranks(2);
  std::vector<at::Tensor> means(2);
  std::vector<ActionClip> models = {make_model(), make_model()};
  std::vector<std::shared_ptr<NoisyFusion>> heads;
  for (auto& model : models) heads.push_back(put_noisy_fusion(model, /*dropout=*/0));
  std::vector<TrainBatch> batches = {make_batch(), make_batch()};
  batches[1].clips = 255 - batches[1].clips;
  on_every_rank(2, [&](int rank) {
    auto learner = make_learner(models[rank], TrainConfig());
    learner.join(ranks[rank]);
    take_step(learner, batches[rank]);
    means[rank] = heads[rank]->norm->running_mean.clone();
  });
  EXPECT_TRUE(at::equal(means[0], means[1]));
  EXPECT_GT(means[0].abs().max().item<double>(), 0);
}

TEST(Learner, TextsOfClassesThatDoNotLearnAreEncodedOnceForEachTemplate) {
  TrainConfig config;
  config.objective = Objective::cross_entropy;
  auto learner = make_learner(make_model(), config, /*fix_text=*/true);
  auto batch = make_batch(kClasses);
  EXPECT_TRUE(take_step(learner, batch).finite);
  {
    const at::NoGradGuard no_grad;
    learner.model()->text->text_projection.fill_(std::numeric_limits<double>::quiet_NaN());
  }
  EXPECT_TRUE(take_step(learner, batch).finite);
  batch.template_index = 1;
  EXPECT_FALSE(take_step(learner, batch).finite);
}

TEST(Learner, TextsOfClassesThatLearnAreEncodedInEachStep) {
  TrainConfig config;
  config.objective = Objective::cross_entropy;
  auto learner = make_learner(make_model(), config);
  const auto batch = make_batch(kClasses);
  EXPECT_TRUE(take_step(learner, batch).finite);
  EXPECT_GT(learner.model()->text->text_projection.grad().norm().item<double>(), 0);
  {
    const at::NoGradGuard no_grad;
    learner.model()->text->text_projection.fill_(std::numeric_limits<double>::quiet_NaN());
  }
  EXPECT_FALSE(take_step(learner, batch).finite);
}

TEST(Learner, AClassifierLearnsFromVideosWithoutTexts) {
  auto model = make_model(kClasses);
  auto learner = make_learner(model, TrainConfig());
  auto batch = make_batch();
  batch.tokens = at::Tensor();
  double expected = 0;
  {
    const at::NoGradGuard no_grad;
    model->eval();
    const auto logits = at::matmul(model->encode_video(batch.clips), model->classifier->weight.t());
    const auto probabilities = at::softmax(logits, 1);
    for (std::int64_t i = 0; i < kVideos; ++i)
      expected -= std::log(probabilities[i][batch.label_ids[i]].item<double>()) / kVideos;
  }
  EXPECT_NEAR(take_step(learner, batch).loss, expected, 1e-5);
  EXPECT_GT(model->classifier->weight.grad().norm().item<double>(), 0);
  EXPECT_GT(model->visual->named_parameters()["proj"].grad().norm().item<double>(), 0);
  EXPECT_FALSE(model->logit_scale.grad().defined());
}

TEST(Learner, TheAverageTakesInEachStepThatIsFinite) {
  TrainConfig config;
  config.ema_decay = 0.9;
  auto learner = make_learner(make_model(), config);
  auto batch = make_batch();
  take_step(learner, batch);
  ASSERT_NE(learner.average(), nullptr);
  EXPECT_EQ(learner.average()->updates(), 1);
  EXPECT_EQ(learner.average()->state_dict().size(), learner.model()->named_parameters().size());
  batch.clips = at::full_like(batch.clips, std::numeric_limits<double>::quiet_NaN(), at::kFloat);
  EXPECT_FALSE(take_step(learner, batch).finite);
  EXPECT_EQ(learner.average()->updates(), 1);
  EXPECT_EQ(make_learner(make_model(), TrainConfig()).average(), nullptr);
}

// The first update takes in nine tenths.
TEST(Learner, RunningStatisticsAreAveragedToo) {
  at::manual_seed(4);
  auto sizes = small_sizes();
  sizes.vision = {.image_size = 32, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 1, 1, 1}};
  ActionClip model(sizes);
  TrainConfig config;
  config.ema_decay = 0.9;
  auto learner = make_learner(model, config);
  take_step(learner, make_batch());
  const auto buffers = model->named_buffers();
  const auto& live = buffers["visual.bn1.running_var"];
  const auto average = learner.average()->state_dict();
  const auto expected = 0.1 * at::ones_like(live) + 0.9 * live;
  EXPECT_FALSE(at::allclose(live, at::ones_like(live), 1e-3, 1e-3));
  EXPECT_TRUE(at::allclose(average.at("visual.bn1.running_var"), expected, 1e-5, 1e-6));
  EXPECT_FALSE(average.contains("visual.bn1.num_batches_tracked"));
  const AveragedWeights scope(learner.average());
  EXPECT_TRUE(at::allclose(live, expected, 1e-5, 1e-6)) << "it is what is evaluated";
}

TEST(Learner, EmbeddingsThatAreFrozenAreNotDropped) {
  const auto loss_with = [](const std::optional<std::int64_t>& blocks, std::uint64_t seed) {
    at::manual_seed(4);
    auto sizes = small_sizes();
    sizes.vision.embedding_dropout = 0.5;
    TrainConfig config;
    config.image_blocks = blocks;
    auto learner = make_learner(ActionClip(sizes), config);
    return take_step(learner, make_batch(kVideos, seed)).loss;
  };
  EXPECT_EQ(loss_with(1, 1), loss_with(1, 2));
  EXPECT_NE(loss_with(std::nullopt, 1), loss_with(std::nullopt, 2));
}

std::string error_of(const TrainConfig& config) {
  try {
    make_learner(make_model(), config);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Learner, OneThatHasNothingToTrainSaysWhatWouldLearn) {
  TrainConfig config;
  config.task = TrainTask::prompt;
  config.fix_fusion = true;
  EXPECT_THAT(error_of(config), HasSubstr("nothing to train"));
}

TEST(Learner, OneThatWouldTrainTheScaleAloneIsRefusedAndNamesTheLinearProbe) {
  TrainConfig config;
  config.image_blocks = 0;
  config.text_blocks = 0;
  EXPECT_EQ(error_of(config), "no error") << "the fusion head learns";
  config.fix_fusion = true;
  EXPECT_THAT(error_of(config), AllOf(HasSubstr("nothing to train"), HasSubstr("model.classifier: true")));
}

// A setting, with what it needs to learn one batch by heart.
struct Setting {
  const char* name;
  void (*apply)(TrainConfig& config);
  std::int64_t texts = kVideos;  // one a video, or one a class
  std::int64_t classes = 0;      // of a classifier
};

class LearnsByHeart : public ::testing::TestWithParam<Setting> {};

TEST_P(LearnsByHeart, TheLossOfOneBatchFallsFarBelowItsStart) {
  constexpr int kSteps = 60;
  at::manual_seed(4);
  auto sizes = small_sizes();
  sizes.vision.layers = sizes.text.layers = 2;
  sizes.classes = GetParam().classes;
  TrainConfig config;
  GetParam().apply(config);
  auto learner = make_learner(ActionClip(sizes), config);
  const auto batch = make_batch(GetParam().texts);
  const double first = take_step(learner, batch).loss;
  double last = first;
  for (int step = 1; step < kSteps; ++step) last = take_step(learner, batch).loss;
  EXPECT_GT(first, 0.3);
  EXPECT_LT(last, 0.5 * first);
}

// The fusion head, which could do it alone, is frozen where it is the encoders that are to show it.
INSTANTIATE_TEST_SUITE_P(With, LearnsByHeart,
                         ::testing::Values(Setting{.name = "Contrastive", .apply = [](TrainConfig&) {}},
                                           Setting{.name = "CrossEntropy",
                                                   .apply =
                                                       [](TrainConfig& config) {
                                                         config.objective = Objective::cross_entropy;
                                                       },
                                                   .texts = kClasses},
                                           Setting{.name = "LinearProbe",
                                                   .apply =
                                                       [](TrainConfig& config) {
                                                         config.image_blocks = 0;
                                                         config.fix_fusion = true;
                                                       },
                                                   .classes = kClasses},
                                           Setting{.name = "LastBlocks",
                                                   .apply =
                                                       [](TrainConfig& config) {
                                                         config.image_blocks = 1;
                                                         config.text_blocks = 1;
                                                         config.fix_fusion = true;
                                                       }},
                                           Setting{.name = "LayerDecay",
                                                   .apply =
                                                       [](TrainConfig& config) {
                                                         config.layer_decay = 0.7;
                                                         config.fix_fusion = true;
                                                       }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace actionclip
