// `interpolate`: the ends are the two models, what is written is what was scored, and what is refused.

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Interpolation : public ::testing::Test {
 protected:
  // The fusion head stays, so that all of the start is to be had back.
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    train("start", {});
    train("tuned", {"model.init.image=weights", "model.init.text=weights", "model.weights=" + start_,
                    "train.fix_fusion=true", "train.schedule.warmup_epochs=0"});
  }

  ProgramResult interpolate(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"interpolate", "--config", folder_ / "config.yaml", "--weights",
                                         tuned_, "--pretrained", start_});
    return run_program(arguments);
  }

  nlohmann::json evaluate(const std::string& weights) {
    const auto result =
        run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", weights, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output);
  }

  void train(const std::string& run, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"train", "--config", folder_ / "config.yaml", "--output",
                                         folder_ / run, "data.val.list=", "train.max_steps=2"});
    const auto result = run_program(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  TemporaryFolder folder_;
  std::string start_ = folder_ / "start/checkpoints/last";
  std::string tuned_ = folder_ / "tuned/checkpoints/last";
};

TEST_F(Interpolation, ASweepGoesFromTheFineTunedModelToThePretrainedOne) {
  const auto swept = interpolate({"--pretrained-weight", "0,0.5,1", "--json", "--output", folder_ / "out",
                                  "--write", "0.5", folder_ / "half.safetensors"});
  ASSERT_EQ(swept.exit_code, 0) << swept.errors;
  const auto json = nlohmann::json::parse(swept.output);
  EXPECT_EQ(json, nlohmann::json::parse(read_text(folder_ / "out/interpolation.json")));
  const auto& ratios = json.at("ratios");
  ASSERT_EQ(ratios.size(), 3u);
  const auto expect = [&](std::size_t row, double ratio, const std::string& weights) {
    const auto expected = evaluate(weights);
    EXPECT_EQ(ratios.at(row).at("pretrained_weight"), ratio);
    for (const char* key : {"top1", "top5", "loss", "samples"})
      EXPECT_EQ(ratios.at(row).at(key), expected.at(key)) << ratio << " " << key;
  };
  expect(0, 0, tuned_);
  expect(1, 0.5, folder_ / "half.safetensors");
  expect(2, 1, start_);
  EXPECT_NE(ratios.at(0).at("loss"), ratios.at(2).at("loss"));
  for (const auto& name : json.at("kept_finetuned"))
    EXPECT_THAT(name.get<std::string>(), HasSubstr("fusion.")) << "the rest is mixed";
  EXPECT_THAT(swept.errors, HasSubstr("fine-tuned in any case: fusion ("));
}

TEST_F(Interpolation, TheTableHasUnseenLabelsBeside) {
  const auto swept =
      interpolate({"--pretrained-weight", "0,1", "--zero-shot-labels", folder_ / "data/zero_shot_labels.csv",
                   "--zero-shot-list", folder_ / "data/zero_shot.txt", "eval.batch_size=8"});
  ASSERT_EQ(swept.exit_code, 0) << swept.errors;
  EXPECT_THAT(swept.output, AllOf(HasSubstr("(152 labels)"), HasSubstr("(40 labels)"),
                                  HasSubstr("pretrained_weight"), HasSubstr("zero-shot top-1")));
  EXPECT_EQ(lines_of(swept.output).size(), 5u) << swept.output;
}

TEST_F(Interpolation, AWrittenMixtureSaysHowToUseIt) {
  ASSERT_EQ(
      interpolate({"--pretrained-weight", "1", "--write", "0.25", folder_ / "mixed.safetensors"}).exit_code,
      0);
  const auto mixed = load_weights(folder_ / "mixed.safetensors");
  EXPECT_TRUE(mixed.described);
  EXPECT_EQ(mixed.metadata.at("actionclip.pretrained_weight"), "0.25");
  const auto predicted = run_program({"predict", "--weights", folder_ / "mixed.safetensors", "--json",
                                      folder_ / "data/videos/test/00000.mp4"});
  EXPECT_EQ(predicted.exit_code, 0) << predicted.errors;
}

TEST_F(Interpolation, WhatCannotBeDoneIsRefused) {
  const auto expect = [&](std::vector<std::string> arguments, int exit_code, const char* message) {
    const auto result = interpolate(std::move(arguments));
    EXPECT_EQ(result.exit_code, exit_code) << message;
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(result.output, "");
  };
  expect({"--pretrained-weight", "1.5"}, 2, "--pretrained-weight");
  expect({"--write", "2", folder_ / "out.safetensors"}, 2, "--write 2");
  expect({"--zero-shot-labels", folder_ / "data/zero_shot_labels.csv"}, 2, "--zero-shot-list");
  expect({"--zero-shot-list", folder_ / "data/zero_shot.txt"}, 2, "--zero-shot-labels");
  expect({"--zero-shot-root", folder_ / "data"}, 2, "--zero-shot-root");
  write_weights(folder_ / "other.safetensors", {{"visual.proj", at::zeros({32, 128})}}, {});
  start_ = folder_ / "other.safetensors";
  expect({}, 1, "other.safetensors");
  start_ = folder_ / "none.safetensors";
  expect({}, 1, "none.safetensors");
}

// Otherwise model.weights would be taken: what the fine-tuning started from.
TEST_F(Interpolation, TheFineTunedModelMustBeNamed) {
  const auto result =
      run_program({"interpolate", "--config", folder_ / "config.yaml", "--pretrained", start_,
                   "model.init.image=weights", "model.init.text=weights", "model.weights=" + start_});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--weights: give the fine-tuned model"));
}

TEST_F(Interpolation, AFileThatIsThereIsOverwrittenByForceAlone) {
  const auto taken = folder_.write("taken.safetensors", "something");
  const auto own = std::filesystem::path(tuned_) / "model.safetensors";
  const auto weights = read_text(own);
  for (const auto& file : {taken, own}) {
    const auto refused = interpolate({"--pretrained-weight", "1", "--write", "0.5", file});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, AllOf(HasSubstr(file.string() + " is there already"), HasSubstr("--force")));
    EXPECT_THAT(refused.errors, Not(HasSubstr("tensors are mixed"))) << "nothing was loaded";
  }
  EXPECT_EQ(read_text(taken), "something");
  EXPECT_EQ(read_text(own), weights);
  const auto folder = interpolate({"--write", "0.5", folder_.path(), "--force"});
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_THAT(folder.errors, HasSubstr("is a folder"));
  EXPECT_EQ(interpolate({"--force"}).exit_code, 2);
  const auto forced = interpolate({"--pretrained-weight", "1", "--write", "0.5", taken, "--force"});
  ASSERT_EQ(forced.exit_code, 0) << forced.errors;
  EXPECT_EQ(load_weights(taken).metadata.at("actionclip.pretrained_weight"), "0.5");
}

TEST_F(Interpolation, AModelOfAnotherResolutionIsMixedWithItsStart) {
  train("larger", {"model.init.image=weights", "model.init.text=weights", "model.weights=" + start_,
                   "model.vision.image_size=96", "data.transforms.test_resize=96"});
  tuned_ = folder_ / "larger/checkpoints/last";
  const auto swept = interpolate({"--pretrained-weight", "0,1", "--json", "data.transforms.test_resize=96"});
  ASSERT_EQ(swept.exit_code, 0) << swept.errors;
  EXPECT_THAT(swept.errors, HasSubstr("visual.positional_embedding interpolated from 4 to 9 patches"));
  EXPECT_EQ(nlohmann::json::parse(swept.output).at("ratios").size(), 2u);
}

TEST_F(Interpolation, AMixtureIsWrittenOnlyWhenAllIsScored) {
  const auto failed = interpolate({"--pretrained-weight", "1", "--zero-shot-labels",
                                   folder_ / "data/zero_shot_labels.csv", "--zero-shot-list",
                                   folder_ / "absent.txt", "--write", "0.5", folder_ / "out.safetensors"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.errors, HasSubstr("absent.txt"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.safetensors"));
  const auto nowhere =
      interpolate({"--pretrained-weight", "1", "--write", "0.5", folder_ / "absent/out.safetensors"});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.errors, AllOf(HasSubstr("make it first"), Not(HasSubstr("tensors are mixed"))));
}

TEST(InterpolationHelp, TheTwoWordsOfWriteHaveNames) {
  EXPECT_THAT(run_program({"interpolate", "--help"}).output,
              AllOf(HasSubstr("--write W FILE"), Not(HasSubstr("[FLOAT"))));
}

// A sweep that a classifier cannot end is not begun.
TEST_F(Interpolation, UnseenLabelsAreRefusedForAClassifierBeforeTheFirstScore) {
  train("probe", {"model.init.image=weights", "model.init.text=weights", "model.weights=" + start_,
                  "model.classifier=true"});
  tuned_ = folder_ / "probe/checkpoints/last";
  const auto refused =
      interpolate({"--zero-shot-labels", folder_ / "data/zero_shot_labels.csv", "--zero-shot-list",
                   folder_ / "data/zero_shot.txt", "--write", "0.5", folder_ / "out.safetensors"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors,
              AllOf(HasSubstr("ends in a linear classifier of the 152"), HasSubstr("40 labels are given")));
  EXPECT_THAT(refused.errors, Not(HasSubstr("pretrained_weight 0"))) << "nothing was scored";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.safetensors"));
}

}  // namespace
}  // namespace actionclip
