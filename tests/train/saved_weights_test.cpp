// What a run saves of its weights and goes on with: the running average, the classifier.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/weights/initialize.h"

#include "tests/train/trainer_case.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

class SavedWeights : public TrainerTest {};

TEST_F(SavedWeights, TheAverageGoesOnBitForBitAsIfTheRunHadNotStopped) {
  auto own = experiment();
  own.train.ema_decay = 0.9;
  const auto run = [&](const char* name, std::int64_t steps, std::optional<std::filesystem::path> resume) {
    own.train.max_steps = steps;
    Trainer(own, {.output = folder_ / name, .resume = std::move(resume)}).run();
    return folder_ / name / "checkpoints" / "last";
  };
  const auto straight = run("straight", 6, {});
  const auto parted = run("parted", 6, run("parted", 2, {}));
  EXPECT_EQ(losses_of(folder_ / "parted"), losses_of(folder_ / "straight"));
  for (const char* file : {"model.safetensors", "ema.safetensors", "optimizer.safetensors"})
    EXPECT_EQ(read_text(parted / file), read_text(straight / file)) << file;
  own.train.ema_decay = 0;
  EXPECT_FALSE(std::filesystem::exists(run("without", 1, {}) / "ema.safetensors"));
}

TEST_F(SavedWeights, AnAverageThatIsAskedForLaterBeginsWithTheWeightsAtThatStep) {
  auto own = experiment();
  own.train.max_steps = 2;
  Trainer(own, options()).run();
  own.train.ema_decay = 0.9;
  Trainer resumed(own, {.output = folder_ / "run", .resume = folder_ / "run/checkpoints/last"});
  ASSERT_NE(resumed.average(), nullptr);
  EXPECT_EQ(resumed.average()->updates(), 0);
  EXPECT_TRUE(at::equal(resumed.average()->state_dict().at("visual.proj"),
                        state_dict(resumed.model()).at("visual.proj")));
}

// The average as a weights file of its own, and the validation by it.
TEST_F(SavedWeights, WhatIsValidatedAndCanBeLoadedIsTheAverage) {
  auto own = experiment();
  own.text.fix_text = true;
  own.train.ema_decay = 0.9;
  own.train.epochs = 1;
  own.train.lr = 1e-2;
  own.data.val = own.data.train;
  Trainer trainer(own, options());
  ASSERT_EQ(trainer.run(), TrainOutcome::finished);
  const auto last = folder_ / "run/checkpoints/last";
  const auto weights = load_weights(last), average = load_weights(last / "ema.safetensors");
  EXPECT_TRUE(average.described);
  EXPECT_EQ(average.metadata, weights.metadata);
  EXPECT_TRUE(at::equal(average.tensors.at("text_projection"), weights.tensors.at("text_projection")));
  EXPECT_FALSE(at::equal(average.tensors.at("visual.proj"), weights.tensors.at("visual.proj")));
  EXPECT_TRUE(at::equal(state_dict(trainer.model()).at("visual.proj"), weights.tensors.at("visual.proj")))
      << "the weights are back behind the validation";

  const auto labels = read_labels(own.data.labels.path);
  const auto prompts = make_prompt_generator(own.text, make_tokenizer(own.text), labels, resolve(own.model));
  const ClipDataset videos(read_video_list(own.data.val, &labels), clip_options(own, 16, 2, labels.size()));
  const auto loss_of = [&](const LoadedWeights& of) {
    Classifier classifier(build_model(of), text_input(prompts));
    return evaluate(classifier, videos, labels, own.eval, own.data).loss;
  };
  std::ifstream lines(folder_ / "run/metrics.jsonl");
  double validated = -1;
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record.at("split") == "val") validated = record.at("loss");
  }
  EXPECT_NEAR(validated, loss_of(average), 1e-5);
  EXPECT_GT(std::abs(validated - loss_of(weights)), 1e-4);
}

TEST_F(SavedWeights, AClassifierIsOfTheDatasLabelsAndIsSavedWithThem) {
  auto own = experiment();
  own.model.classifier = true;
  own.train.image_blocks = 0;
  own.train.max_steps = 1;
  Trainer(own, options()).run();
  const auto weights = load_weights(folder_ / "run/checkpoints/last");
  EXPECT_EQ(weights.config.classes, kLabels);
  EXPECT_EQ(weights.tensors.at("classifier.weight").sizes(), (std::vector<std::int64_t>{kLabels, 64}));
  const auto labels = read_labels(own.data.labels.path);
  require_classified(weights, labels);
  auto names = labels.names();
  std::swap(names[0], names[1]);
  const auto error_with = [&](const LabelSet& others) -> std::string {
    try {
      require_classified(weights, others);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_with(LabelSet(names)), HasSubstr("label 0 is 'label 0' there and 'label 1'"));
  names.pop_back();
  EXPECT_THAT(error_with(LabelSet(names)), HasSubstr("of the 4 labels that it was trained on"));
  Trainer resumed(own, {.output = folder_ / "run", .resume = folder_ / "run/checkpoints/last"});
  EXPECT_TRUE(at::equal(resumed.model()->classifier->weight, weights.tensors.at("classifier.weight")));
}

TEST_F(SavedWeights, AClassifierOfTheSameLabelsInAnotherOrderStartsFresh) {
  auto own = experiment();
  own.model.classifier = true;
  own.train.max_steps = 1;
  Trainer(own, options()).run();
  const auto last = folder_ / "run/checkpoints/last";
  const auto trained = load_weights(last).tensors.at("classifier.weight");
  own.model = start_from(own.model, last);
  const auto starts_as_trained = [&] {
    Trainer next(own, options());
    return at::equal(next.model()->classifier->weight, trained);
  };
  EXPECT_TRUE(starts_as_trained());
  own.data.labels.path = folder_.write("reversed.txt", "label 3\nlabel 2\nlabel 1\nlabel 0\n");
  EXPECT_FALSE(starts_as_trained());
}

}  // namespace
}  // namespace actionclip
