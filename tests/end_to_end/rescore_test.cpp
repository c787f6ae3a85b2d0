// `rescore`: the figures of kept scores are those that `evaluate` told; fused, compared, with a temperature.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/eval/fuse_scores.h"
#include "actionclip/eval/video_scores.h"

#include "tests/end_to_end/program.h"
#include "tests/eval/random_scores.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json parse(const ProgramResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

ProgramResult rescore(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "rescore");
  return run_program(arguments);
}

TEST(RescoredEvaluation, TellsWhatEvaluateTold) {
  const TemporaryFolder folder;
  make_tiny_experiment(folder.path());
  const auto trained = run_program(
      {"train", "--config", folder / "config.yaml", "--output", folder / "run", "train.max_steps=1"});
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  write_text(folder / "data/videos/test/00003.mp4", "broken");
  const auto told = parse(run_program({"evaluate", "--config", folder / "config.yaml", "--weights",
                                       folder / "run/checkpoints/last", "--json", "--output", folder / "out",
                                       "data.max_failed_share=0.5", "eval.clips=2", "eval.average=logits"}));
  const auto again = parse(rescore({folder / "out/scores.safetensors", "--json"})).at("scores").at(0);
  for (const char* key :
       {"top1", "top5", "mean_class_accuracy", "ece", "samples", "failed", "loss", "views", "intervals"})
    EXPECT_EQ(again.at(key), told.at(key)) << key;
  EXPECT_EQ(again.at("failed"), 1);
  const auto& origin = again.at("origin");
  EXPECT_EQ(origin.at("average"), "logits");
  EXPECT_EQ(origin.at("list_sha256"), sha256_of_file(folder / "data/test.txt"));
  EXPECT_EQ(origin.at("weights_sha256"), sha256_of_file(folder / "run/checkpoints/last/model.safetensors"));
}

// Files of random scores of the same videos.
class Rescore : public ::testing::Test {
 protected:
  std::string save(const std::string& name, const VideoScores& scores) {
    save_scores(scores, folder_ / name);
    return folder_ / name;
  }

  // Scores of another model of the same videos.
  static VideoScores other(const VideoScores& scores, double skill) {
    auto result = scores;
    result.probabilities = random_scores_of({.videos = scores.videos.size(), .skill = skill}).probabilities;
    return result;
  }

  void expect_refusal(const std::vector<std::string>& arguments, int exit_code, const std::string& message) {
    const auto result = rescore(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << message;
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(result.output, "");
  }

  TemporaryFolder folder_;
  VideoScores scores_ = random_scores_of({});
  std::string first_ = save("first.safetensors", scores_);
  std::string second_ = save("second.safetensors", other(scores_, 4));
};

TEST_F(Rescore, FusesByTheRatios) {
  const auto fused = parse(rescore({first_, second_, "--fuse", "--ratio", "3,1", "--json"}));
  const std::vector<VideoScores> both = {load_scores(first_), load_scores(second_)};
  const auto expected = save("fused.safetensors", fuse_scores(both, std::vector<double>{3, 1}));
  const auto alone = parse(rescore({expected, "--json"}));
  ASSERT_EQ(fused.at("scores").size(), 1u);
  for (const char* key : {"top1", "loss", "ece", "intervals"})
    EXPECT_EQ(fused.at("scores").at(0).at(key), alone.at("scores").at(0).at(key)) << key;
  EXPECT_EQ(fused.at("ratios"), nlohmann::json({3.0, 1.0}));
}

TEST_F(Rescore, ComparesTheSecondWithTheFirst) {
  const auto json = parse(rescore({first_, second_, "--compare", "--json"}));
  const double difference =
      json.at("scores").at(1).at("top1").get<double>() - json.at("scores").at(0).at("top1").get<double>();
  EXPECT_DOUBLE_EQ(json.at("differences").at("top1").get<double>(), difference);
  EXPECT_GT(json.at("difference_intervals").at("top1").at(0), 0) << "a far better model";
  const auto table = rescore({first_, second_, "--compare"});
  EXPECT_THAT(table.output, AllOf(HasSubstr("second - first"), HasSubstr("larger than chance")));
}

TEST_F(Rescore, GivesEachTheTemperatureOfItsDevScores) {
  const auto json = parse(rescore({first_, second_, "--dev", first_, "--dev", second_, "--json"}));
  const auto plain = parse(rescore({first_, second_, "--json"}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_LT(json.at("scores").at(i).at("loss"), plain.at("scores").at(i).at("loss"));
    EXPECT_EQ(json.at("scores").at(i).at("top1"), plain.at("scores").at(i).at("top1"));
    EXPECT_GT(json.at("scores").at(i).at("temperature"), 0);
  }
  EXPECT_TRUE(parse(rescore({first_, second_, "--fuse", "--dev", first_, "--dev", second_, "--json"}))
                  .at("scores")
                  .at(0)
                  .contains("temperature"));
}

TEST_F(Rescore, WhatCannotBeDoneIsRefused) {
  expect_refusal({}, 2, "scores");
  expect_refusal({first_, "--compare"}, 2, "--compare");
  expect_refusal({first_, "--fuse"}, 2, "--fuse");
  expect_refusal({first_, second_, "--fuse", "--compare"}, 2, "one or the other");
  expect_refusal({first_, second_, "--ratio", "1,2"}, 2, "--ratio");
  expect_refusal({first_, second_, "--fuse", "--ratio", "1,2,3"}, 2, "--ratio");
  expect_refusal({first_, second_, "--fuse", "--ratio", "0,0"}, 1, "must be above 0");
  expect_refusal({first_, second_, "--dev", first_}, 2, "--dev");
  expect_refusal({folder_ / "absent.safetensors"}, 1, "absent.safetensors");
  const auto fewer = save("fewer.safetensors", random_scores_of({.videos = 10}));
  expect_refusal({first_, fewer, "--compare"}, 1, "60 and 10 videos");
  expect_refusal({first_, fewer, "--fuse"}, 1, "60 and 10 videos");
  const auto several = save("several.safetensors", random_scores_of({.multi_label = true}));
  expect_refusal({several, "--dev", several}, 1, "multi-label");
  const auto labels = save("labels.safetensors", random_scores_of({.classes = 5}));
  expect_refusal({first_, "--dev", labels}, 1, "the labels of");
}

}  // namespace
}  // namespace actionclip
