#include "actionclip/train/trainer.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/video/image_file.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/temporary_folder.h"
#include "tests/train/tiny_experiment.h"
#include "tests/weights/small_model.h"

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
    Experiment result = tiny_experiment(folder_.path());
    result.seed = 3;
    result.train.epochs = 2;
    result.train.batch_size = 4;
    result.train.lr = 1e-3;
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

// What libraries make at their first use, made before there are threads: ThreadSanitizer does not see how ICU
// and spdlog guard it.
void make_singletons(const Experiment& experiment) {
  make_tokenizer(experiment.text)->encode("text");
  spdlog::default_logger();
}

// The bias of the attention's keys has no effect: its true gradient is zero, and what is measured is
// rounding.
at::Tensor without_key_bias(const std::string& name, const at::Tensor& tensor) {
  if (!name.ends_with("in_proj_bias")) return tensor;
  const auto parts = tensor.chunk(3);
  return at::cat({parts[0], parts[2]});
}

// Name -> tensor of every parameter that learns.
std::map<std::string, at::Tensor> trained(Trainer& trainer, bool gradients) {
  std::map<std::string, at::Tensor> result;
  for (const auto& parameter : trainer.model()->named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    const auto tensor = gradients ? parameter.value().grad() : parameter.value().detach();
    result.emplace(parameter.key(), without_key_bias(parameter.key(), tensor).clone());
  }
  return result;
}

void expect_near(const std::map<std::string, at::Tensor>& actual,
                 const std::map<std::string, at::Tensor>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const double size = tensor.norm().item<double>();
    EXPECT_LE((actual.at(name) - tensor).norm().item<double>(), tolerance * size + 1e-12) << name;
  }
}

std::vector<double> losses_of(const std::filesystem::path& run) {
  std::vector<double> losses;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) losses.push_back(nlohmann::json::parse(line).at("loss"));
  return losses;
}

struct Setting {
  const char* name;
  void (*change)(Experiment& experiment);
};

// Runs that take the same steps on any number of ranks.
class RanksTest : public TrainerTest, public testing::WithParamInterface<Setting> {
 protected:
  // Every rank starts from a file: ranks that are threads share libtorch's generator, and would mix their
  // draws.
  void SetUp() override {
    TrainerTest::SetUp();
    const auto model = build_model(TrainerTest::experiment().model, /*seed=*/3);
    write_weights(folder_ / "start.safetensors", state_dict(model), to_metadata(model->config()));
  }

  Experiment experiment() const {
    Experiment result = TrainerTest::experiment();
    result.train.batch_size = 8;
    result.train.epochs = 10;
    result.model = start_from(result.model, folder_ / "start.safetensors");
    GetParam().change(result);
    return result;
  }
};

TEST_P(RanksTest, TakeTheSameStepsAsOne) {
  const auto output = [&](int ranks) { return folder_ / fmt::format("{} ranks", ranks); };
  std::map<std::string, at::Tensor> gradients, weights;
  {
    Trainer first(experiment(), {.output = output(1)});
    first.dry_step();
    gradients = trained(first, /*gradients=*/true);
    Trainer alone(experiment(), {.output = output(1)});
    ASSERT_EQ(alone.run(), TrainOutcome::finished);
    weights = trained(alone, /*gradients=*/false);
  }
  const auto losses = losses_of(output(1));
  ASSERT_EQ(losses.size(), 10u);
  for (const int world_size : {2, 4}) {
    SCOPED_TRACE(world_size);
    const auto ranks = make_ranks(world_size);
    on_every_rank(world_size, [&](int rank) {
      Trainer first(experiment(), {.output = output(world_size)}, ranks[rank]);
      first.dry_step();
      expect_near(trained(first, /*gradients=*/true), gradients, 1e-5);
    });
    on_every_rank(world_size, [&](int rank) {
      Trainer trainer(experiment(), {.output = output(world_size)}, ranks[rank]);
      ASSERT_EQ(trainer.run(), TrainOutcome::finished);
      expect_near(trained(trainer, /*gradients=*/false), weights, 1e-4);
    });
    const auto of_ranks = losses_of(output(world_size));
    ASSERT_EQ(of_ranks.size(), losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i)
      EXPECT_NEAR(of_ranks[i], losses[i], 1e-5) << "step " << i + 1;
  }
}

// What a step's line says of each rank.
TEST_F(TrainerTest, RanksTellWhatEachOfThemWaitsFor) {
  make_singletons(experiment());
  const auto ranks = make_ranks(2);
  on_every_rank(2, [&](int rank) { Trainer(experiment(), options(), ranks[rank]).run(); });
  std::ifstream lines(folder_ / "run/metrics.jsonl");
  int steps = 0;
  for (std::string line; std::getline(lines, line); ++steps) {
    const auto record = nlohmann::json::parse(line);
    for (const char* key : {"data_wait_fraction", "communication_fraction"}) {
      const std::vector<double> shares = record.at("ranks").at(key);
      ASSERT_EQ(shares.size(), 2u);
      for (const double share : shares) EXPECT_TRUE(share > 0 && share < 1) << key << " " << share;
      EXPECT_NEAR(record.at(key).get<double>(), (shares[0] + shares[1]) / 2, 1e-9);
    }
    EXPECT_EQ(record.at("ranks").at("videos_per_second").size(), 2u);
  }
  EXPECT_GT(steps, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Each, RanksTest,
    testing::Values(
        Setting{"Finetune", [](Experiment&) {}},
        Setting{"FrozenText", [](Experiment& experiment) { experiment.text.fix_text = true; }},
        Setting{"Prompt", [](Experiment& experiment) { experiment.train.task = TrainTask::prompt; }},
        Setting{"Accumulation", [](Experiment& experiment) { experiment.train.accumulate_steps = 2; }},
        Setting{"Clipping", [](Experiment& experiment) { experiment.train.clip_grad_norm = 0.1; }},
        Setting{"ActivationCheckpointing",
                [](Experiment& experiment) { experiment.train.activation_checkpointing = true; }},
        Setting{"OneBucket", [](Experiment& experiment) { experiment.distributed.bucket_size = 0; }}),
    [](const auto& info) { return info.param.name; });

TEST_F(TrainerTest, RanksThatDoNotAgreeSayWhatDiffers) {
  make_singletons(experiment());
  const auto ranks = make_ranks(2);
  std::vector<std::string> errors(2);
  on_every_rank(2, [&](int rank) {
    auto own = experiment();
    own.train.lr *= rank + 1;
    try {
      Trainer(own, options(), ranks[rank]);
    } catch (const Error& error) {
      errors[rank] = error.what();
    }
  });
  for (const auto& error : errors)
    EXPECT_EQ(error, "the ranks differ from rank 0: another configuration on rank 1");
}

// Notes what the trainer tells the other ranks, of which there are none.
struct NotedFacts : SingleProcess {
  std::vector<std::string> gather_texts(const std::string& text) override {
    facts = nlohmann::json::parse(text);
    return {text};
  }
  nlohmann::json facts;
};

// The configuration names the files; ranks on other machines may have others by these names.
TEST_F(TrainerTest, RanksCompareTheContentOfTheFilesThatTheyRead) {
  auto own = experiment();
  own.text.templates.path = folder_.write("templates.yaml", "templates: ['{}']\n");
  own.data.val = own.data.train;
  own.data.val.list.path = folder_.write("val.txt", read_text(folder_ / "list.txt"));
  const auto facts = [&] {
    const auto group = std::make_shared<NotedFacts>();
    Trainer(own, options(), group);
    return group->facts;
  };
  const auto expect_other = [](const nlohmann::json& before, const nlohmann::json& after, const char* name) {
    for (const auto& [key, value] : before.items()) EXPECT_EQ(value == after.at(key), key != name) << key;
  };
  const auto first = facts();
  folder_.write("val.txt", "video 0 3 0\n");
  const auto second = facts();
  expect_other(first, second, "validation list");
  folder_.write("templates.yaml", "templates: ['a {}']\n");
  expect_other(second, facts(), "set of templates");
}

// Rank 0 hands the parameters to all, but not what the optimiser has averaged.
TEST_F(TrainerTest, RanksCompareTheCheckpointsThatTheyGoOnFrom) {
  auto own = experiment();
  own.train.max_steps = 1;
  const auto checkpoint_at = [&](double lr) {
    auto changed = own;
    changed.train.lr = lr;
    const auto run = folder_ / fmt::format("run at {}", lr);
    Trainer(changed, {.output = run}).run();
    return run / "checkpoints" / "last";
  };
  const auto facts_of = [&](const std::filesystem::path& checkpoint) {
    const auto group = std::make_shared<NotedFacts>();
    Trainer(own, {.output = folder_ / "run", .resume = checkpoint}, group);
    return group->facts;
  };
  const auto first = facts_of(checkpoint_at(1e-3)), second = facts_of(checkpoint_at(1e-2));
  EXPECT_EQ(first.at("step to go on from"), second.at("step to go on from"));
  EXPECT_NE(first.at("checkpoint to go on from"), second.at("checkpoint to go on from"));
}

TEST_F(TrainerTest, ActivationCheckpointingChangesNoStep) {
  const auto weights_after_steps = [&](bool on, Precision precision) {
    auto own = experiment();
    own.train.activation_checkpointing = on;
    own.train.precision = precision;
    Trainer trainer(own, {.output = folder_ / "run"});
    trainer.dry_step();
    trainer.dry_step();
    return trained(trainer, /*gradients=*/false);
  };
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    const auto with = weights_after_steps(true, precision), without = weights_after_steps(false, precision);
    for (const auto& [name, tensor] : without) EXPECT_TRUE(at::equal(with.at(name), tensor)) << name;
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
