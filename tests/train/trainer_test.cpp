#include "actionclip/train/trainer.h"

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/video/image_file.h"

#include "tests/distributed/thread_group.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr int kVideos = 12;
constexpr int kLabels = 4;
constexpr int kFrames = 3;

Image noise(std::uint64_t index) {
  RandomStream random(1, RandomPurpose::kSynthetic, index);
  Image image{.width = 24, .height = 24, .rgb = {}};
  for (int i = 0; i < 3 * 24 * 24; ++i) image.rgb.push_back(static_cast<std::uint8_t>(random.next() & 0xff));
  return image;
}

// Frame folders of noise, and a model of one layer a part.
class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string list, names;
    for (int i = 0; i < kVideos; ++i) {
      const auto video = folder_ / fmt::format("video {}", i);
      std::filesystem::create_directory(video);
      for (int frame = 0; frame < kFrames; ++frame) {
        write_jpeg(video / fmt::format("img_{:05d}.jpg", frame + 1), noise(100 * i + frame), 95);
      }
      list += fmt::format("video {} {} {}\n", i, kFrames, i % kLabels);
    }
    for (int label = 0; label < kLabels; ++label) names += fmt::format("label {}\n", label);
    folder_.write("list.txt", list);
    folder_.write("labels.txt", names);
  }

  Experiment experiment() const {
    Experiment result;
    result.seed = 3;
    auto& model = result.model;
    model.arch = "custom";
    model.init = {.image = InitSource::random, .text = InitSource::random};
    model.frames = 2;
    model.fusion_layers = 1;
    model.embed_dim = 64;
    model.vision = {.image_size = 16, .patch_size = 8, .width = 64, .layers = 1, .heads = 1};
    model.text = {.context_length = 16, .vocabulary_size = 49408, .width = 64, .layers = 1, .heads = 1};
    auto& data = result.data;
    data.train.list.path = folder_ / "list.txt";
    data.train.format = ListFormat::frames;
    data.labels.path = folder_ / "labels.txt";
    data.num_workers = 0;
    result.train.epochs = 2;
    result.train.batch_size = 4;
    result.train.lr = 1e-3;
    result.train.schedule.warmup_epochs = 0;
    return result;
  }

  TrainerOptions options() const { return {.output = folder_ / "run"}; }

  std::string error_of(const Experiment& experiment) const {
    try {
      Trainer(experiment, options());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder folder_;
};

// Each parameter's gradient on `trainer` equals the one on `expected`, but for what rounding makes of it.
void expect_same_gradients(Trainer& trainer, Trainer& expected) {
  const auto parameters = trainer.model()->named_parameters();
  for (const auto& parameter : expected.model()->named_parameters()) {
    auto gradient = parameters[parameter.key()].grad();
    auto reference = parameter.value().grad();
    if (parameter.key().ends_with("in_proj_bias")) {
      // The bias of the keys has no effect on attention: its gradient is rounding in both.
      const auto without_keys = [](const at::Tensor& bias) {
        const auto parts = bias.chunk(3);
        return at::cat({parts[0], parts[2]});
      };
      gradient = without_keys(gradient);
      reference = without_keys(reference);
    }
    const double size = reference.norm().item<double>();
    EXPECT_LE((gradient - reference).norm().item<double>(), 1e-3 * size + 1e-12) << parameter.key();
  }
}

TEST_F(TrainerTest, TwoRanksHaveTheLossAndTheGradientsOfOne) {
  Trainer alone(experiment(), options());
  const StepReport expected = alone.dry_step();
  const auto ranks = make_ranks(2);
  std::vector<std::unique_ptr<Trainer>> trainers;
  for (int rank = 0; rank < 2; ++rank) {
    // A list of its own, beside which it keeps its frame counts.
    const auto list = folder_.write(fmt::format("list {}.txt", rank), read_text(folder_ / "list.txt"));
    auto own = experiment();
    own.data.train.list.path = list;
    trainers.push_back(std::make_unique<Trainer>(own, options(), ranks[rank]));
  }
  std::vector<StepReport> reports(2);
  on_every_rank(ranks, [&](int rank) { reports[rank] = trainers[rank]->dry_step(); });
  for (int rank = 0; rank < 2; ++rank) {
    SCOPED_TRACE(rank);
    EXPECT_NEAR(reports[rank].loss, expected.loss, 1e-4);
    EXPECT_NEAR(reports[rank].grad_norm, expected.grad_norm, 1e-3 * expected.grad_norm);
    expect_same_gradients(*trainers[rank], alone);
  }
}

TEST_F(TrainerTest, TheLogitScaleNeverExceedsLog100) {
  Trainer trainer(experiment(), options());
  {
    const at::NoGradGuard no_grad;
    trainer.model()->logit_scale.fill_(6);
  }
  const StepReport report = trainer.dry_step();
  EXPECT_TRUE(report.finite);
  EXPECT_FLOAT_EQ(trainer.model()->logit_scale.item<float>(), std::log(100.0f));
}

TEST_F(TrainerTest, ALogitScaleBelowTheCapIsLeftToTheOptimiser) {
  Trainer trainer(experiment(), options());
  const auto before = trainer.model()->logit_scale.item<double>();
  trainer.dry_step();
  EXPECT_NE(trainer.model()->logit_scale.item<double>(), before);
  EXPECT_NEAR(trainer.model()->logit_scale.item<double>(), before, 0.01);
}

TEST_F(TrainerTest, AMissingTrainingListIsNamedByItsKey) {
  auto broken = experiment();
  broken.data.train.list.path.clear();
  EXPECT_THAT(error_of(broken), HasSubstr("data.train.list"));
}

TEST_F(TrainerTest, AColumnThatTheLabelsLackIsFoundBeforeTraining) {
  auto broken = experiment();
  broken.data.val = broken.data.train;
  broken.eval.group_by = {"verb"};
  EXPECT_THAT(error_of(broken), HasSubstr("verb"));
  broken.eval.every_epochs = 0;
  EXPECT_EQ(error_of(broken), "no error") << "nothing is evaluated";
}

TEST_F(TrainerTest, WeightsThatNoEncoderTakesAreRefused) {
  auto broken = experiment();
  broken.model.weights.path = folder_.write("weights.safetensors", "");
  EXPECT_THAT(error_of(broken), HasSubstr("model.weights"));
}

TEST_F(TrainerTest, OneThatCannotBeMadeWritesNothing) {
  auto broken = experiment();
  broken.train.batch_size = 100;
  EXPECT_THAT(error_of(broken), HasSubstr("batch"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace actionclip
