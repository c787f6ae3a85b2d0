#include "actionclip/train/trainer.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/temporary_folder.h"
#include "tests/train/trainer_case.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

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
    auto start = TrainerTest::experiment();
    GetParam().change(start);
    start.model.labels = kLabels;
    const auto model = build_model(start.model, /*seed=*/3);
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
  const auto steps = records_of(folder_ / "run", "train");
  EXPECT_FALSE(steps.empty());
  for (const auto& record : steps) {
    for (const char* key : {"data_wait_fraction", "communication_fraction"}) {
      const std::vector<double> shares = record.at("ranks").at(key);
      ASSERT_EQ(shares.size(), 2u);
      for (const double share : shares) EXPECT_TRUE(share > 0 && share < 1) << key << " " << share;
      EXPECT_NEAR(record.at(key).get<double>(), (shares[0] + shares[1]) / 2, 1e-9);
    }
    EXPECT_EQ(record.at("ranks").at("videos_per_second").size(), 2u);
    const auto& data = record.at("data");
    for (const char* stage : {"decode", "transform", "wait"})
      EXPECT_GT(data.at(stage).get<double>(), 0) << stage;
    EXPECT_GE(data.at("read").get<double>(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, RanksTest,
    testing::Values(
        Setting{"Finetune", [](Experiment&) {}},
        Setting{"FrozenText", [](Experiment& experiment) { experiment.text.fix_text = true; }},
        Setting{"Prompt", [](Experiment& experiment) { experiment.train.task = TrainTask::prompt; }},
        Setting{"LastImageBlock", [](Experiment& experiment) { experiment.train.image_blocks = 1; }},
        Setting{"LayerDecay", [](Experiment& experiment) { experiment.train.layer_decay = 0.5; }},
        Setting{"CrossEntropy",
                [](Experiment& experiment) {
                  experiment.train.objective = Objective::cross_entropy;
                  experiment.train.label_smoothing = 0.1;
                }},
        Setting{"CrossEntropyOfFrozenText",
                [](Experiment& experiment) {
                  experiment.train.objective = Objective::cross_entropy;
                  experiment.train.text_blocks = 0;
                }},
        Setting{"Classifier", [](Experiment& experiment) { experiment.model.classifier = true; }},
        Setting{"LearnedContext",
                [](Experiment& experiment) {
                  experiment.train.task = TrainTask::prompt;
                  experiment.model.context.length = 3;
                  // Some gradients lie so near 0 that their last bits are chance, and Adam takes full steps
                  // with them.
                  experiment.train.optimizer.eps = 1e-6;
                }},
        Setting{"ContextOfEachClass",
                [](Experiment& experiment) {
                  experiment.model.context = {
                      .length = 3, .class_specific = true, .position = ContextPosition::middle, .init = ""};
                }},
        Setting{"CrossEntropyOfLearnedContext",
                [](Experiment& experiment) {
                  experiment.train.objective = Objective::cross_entropy;
                  experiment.model.context.length = 2;
                }},
        Setting{"Mixup", [](Experiment& experiment) { experiment.train.mix.mixup_alpha = 0.8; }},
        Setting{"CutmixOfNormalizedTargets",
                [](Experiment& experiment) {
                  experiment.train.mix.cutmix_alpha = 1;
                  experiment.train.target = LossTarget::normalized;
                }},
        Setting{"CrossEntropyOfMixedClips",
                [](Experiment& experiment) {
                  experiment.train.objective = Objective::cross_entropy;
                  experiment.train.label_smoothing = 0.1;
                  experiment.train.mix = {.mixup_alpha = 0.8, .cutmix_alpha = 1};
                }},
        Setting{"RepeatedAugmentation",
                [](Experiment& experiment) {
                  experiment.data.sampling.repeats = 2;
                  experiment.data.transforms.rand_augment.operations = 2;
                  experiment.train.max_steps = 10;
                }},
        Setting{"SeveralLabels",
                [](Experiment& experiment) {
                  auto& split = experiment.data.train;
                  split.format = ListFormat::table;
                  split.list.path = split.list.path.parent_path() / "several.csv";
                }},
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
  expect_other(second, facts(), "set of templates or descriptions");
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

TEST_F(TrainerTest, ThePromptStageTrainsTheContextAndTheFusionAlone) {
  for (const auto fusion : {FusionType::Transf, FusionType::meanP}) {
    auto own = experiment();
    own.train.task = TrainTask::prompt;
    own.model.fusion = fusion;
    own.model.context.length = 3;
    Trainer trainer(own, options());
    StateDict before;
    for (const auto& [name, tensor] : state_dict(trainer.model())) before.emplace(name, tensor.clone());
    trainer.dry_step();
    for (const auto& [name, tensor] : state_dict(trainer.model())) {
      const auto part = part_of(name);
      const bool learns = part == ModelPart::context || part == ModelPart::fusion;
      EXPECT_TRUE(learns || at::equal(tensor, before.at(name))) << name;
      EXPECT_FALSE(part == ModelPart::context && at::equal(tensor, before.at(name))) << name;
    }
  }
}

TEST_F(TrainerTest, ThePromptStageOfTheMeanNeedsAContext) {
  auto own = experiment();
  own.train.task = TrainTask::prompt;
  own.model.fusion = FusionType::meanP;
  EXPECT_THAT(error_of(own), AllOf(HasSubstr("nothing to train"), HasSubstr("model.context.length")));
}

TEST_F(TrainerTest, ARunWithALearnedContextGoesOnBitForBit) {
  for (const bool class_specific : {false, true}) {
    auto own = experiment();
    own.train.task = TrainTask::prompt;
    own.model.context = {
        .length = 2, .class_specific = class_specific, .position = ContextPosition::end, .init = "video of"};
    const auto output = [&](const char* name) {
      return folder_ / fmt::format("{} {}", name, class_specific);
    };
    const auto run_to = [&](std::int64_t steps, const TrainerOptions& options) {
      own.train.max_steps = steps;
      Trainer trainer(own, options);
      EXPECT_EQ(trainer.run(), TrainOutcome::finished);
      return trained(trainer, /*gradients=*/false);
    };
    const auto straight = run_to(4, {.output = output("straight")});
    run_to(2, {.output = output("parted")});
    const auto resumed =
        run_to(4, {.output = output("parted"), .resume = output("parted") / "checkpoints" / "last"});
    EXPECT_EQ(losses_of(output("straight")), losses_of(output("parted")));
    ASSERT_TRUE(straight.contains("context.vectors"));
    for (const auto& [name, tensor] : straight) EXPECT_TRUE(at::equal(resumed.at(name), tensor)) << name;
  }
}

// The label in a template: its words before the label are those that the context starts from.
TEST_F(TrainerTest, AContextThatStartsFromTheWordsOfATemplateGivesItsFeatures) {
  auto own = experiment();
  own.model.context.length = 3;
  own.model.context.init = "a video of";
  Trainer trainer(own, options());
  const at::NoGradGuard no_grad;
  auto& model = trainer.model();
  const auto tokenizer = make_tokenizer(own.text);
  const LabelSet labels = read_labels(own.data.labels.path);
  const auto learned = text_input(make_prompt_generator(own.text, tokenizer, labels, model->config()));
  const PromptGenerator worded(tokenizer, labels.names(), {"a video of {}"},
                               model->config().text.context_length);
  const auto features = model->encode_text({learned.tokens[0], learned.placeholders, learned.label_ids});
  EXPECT_TRUE(at::allclose(features, model->encode_text(text_input(worded).tokens[0]), 1e-5, 1e-6));
}

TEST_F(TrainerTest, WordsOfAnotherNumberOfTokensThanTheContextAreRefused) {
  auto own = experiment();
  own.model.context.length = 2;
  own.model.context.init = "a video of";
  EXPECT_EQ(
      error_of(own),
      "model.context.init: \"a video of\" has 3 tokens, but model.context.length is 2: they must be the "
      "same");
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
