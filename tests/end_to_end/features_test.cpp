// `features` and `sweep`: encoded once, scored as `evaluate` scores.

#include <chrono>
#include <filesystem>
#include <signal.h>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json parse(const ProgramResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

class Features : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    write_text(folder_ / "templates.yaml", "templates: [\"a video of {}\", \"{}\", \"{}, an action\"]\n");
    const auto trained = run_program(
        {"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run", "train.max_steps=1"});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  }

  // `command` with the experiment, the weights and three templates.
  std::vector<std::string> with_model(const std::string& command, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {command,
                                          "--config",
                                          folder_ / "config.yaml",
                                          "--weights",
                                          folder_ / "run/checkpoints/last",
                                          "text.templates=" + (folder_ / "templates.yaml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  ProgramResult features(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--output", folder_ / name});
    return run_program(with_model("features", std::move(more)));
  }

  TemporaryFolder folder_;
};

TEST_F(Features, BothEndsOfTheRatioAreWhatEvaluateScores) {
  const auto encoded = features("test", {"eval.clips=2"});
  ASSERT_EQ(encoded.exit_code, 0) << encoded.errors;
  EXPECT_THAT(encoded.output, HasSubstr("10 videos, 2 views each, 3 prompts of 152 labels"));
  const auto swept = parse(run_program({"sweep", "--features", folder_ / "test", "--subset", "all",
                                        "--subset", "2", "--ratios", "0,1", "--json"}));
  const auto evaluate = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"eval.clips=2", "--json"});
    return parse(run_program(with_model("evaluate", std::move(more))));
  };
  const auto softmax = evaluate({}), mean = evaluate({"eval.ensemble=mean_embedding"});
  const auto one = evaluate({"text.templates="});  // the label alone, template 2
  const auto& rows = swept.at("ensembles");
  ASSERT_EQ(rows.size(), 4u);
  for (const char* figure : {"top1", "top5"}) {
    EXPECT_EQ(rows[0].at(figure), softmax.at(figure));
    EXPECT_EQ(rows[1].at(figure), mean.at(figure));
    EXPECT_EQ(rows[2].at(figure), one.at(figure));
    EXPECT_EQ(rows[3].at(figure), one.at(figure));
  }
  EXPECT_EQ(rows[2].at("templates"), nlohmann::json({2}));
  EXPECT_EQ(rows[1].at("mean_embedding_weight"), 1);
}

TEST_F(Features, HeadsAreFittedToTheFeaturesOfTrainingVideos) {
  ASSERT_EQ(features("train", {"--split", "train", "--frames"}).exit_code, 0);
  ASSERT_EQ(features("test", {"--frames"}).exit_code, 0);
  const auto swept = run_program({"sweep", "--features", folder_ / "test", "--train-features",
                                  folder_ / "train", "--pool", "mean", "--subsets", "styles", "--shots", "1",
                                  "--seeds", "1", "--l2", "1e-3", "--output", folder_ / "out"});
  ASSERT_EQ(swept.exit_code, 0) << swept.errors;
  EXPECT_THAT(swept.output,
              AllOf(HasSubstr("label alone"), HasSubstr("tip_adapter"), HasSubstr("nearest_mean")));
  const auto file = nlohmann::json::parse(read_text(folder_ / "out/sweep.json"));
  EXPECT_EQ(file.at("heads").size(), 4u);
  EXPECT_EQ(file.at("pool"), "mean");
}

TEST_F(Features, AKilledRunGoesOnToTheSameFiles) {
  const std::vector<std::string> settings = {"--shard-videos", "4", "eval.batch_size=2"};
  ASSERT_EQ(features("expected", settings).exit_code, 0);
  auto arguments = settings;
  arguments.insert(arguments.end(), {"--output", folder_ / "killed"});
  const auto first = folder_ / "killed/videos-00000.safetensors";
  run_program(with_model("features", arguments),
              {.run = folder_ / "killed", .action = [&](pid_t program) {
                 for (int i = 0; i < 6000; ++i) {
                   if (std::filesystem::exists(first)) break;
                   std::this_thread::sleep_for(std::chrono::milliseconds(5));
                 }
                 kill(program, SIGKILL);
               }});
  const auto resumed = features("killed", settings);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  for (int shard = 0; shard < 3; ++shard) {
    const auto name = fmt::format("videos-{:05}.safetensors", shard);
    EXPECT_EQ(read_text(folder_ / ("killed/" + name)), read_text(folder_ / ("expected/" + name)));
  }
  EXPECT_EQ(read_text(folder_ / "killed/index.json"), read_text(folder_ / "expected/index.json"));
}

TEST_F(Features, OtherSettingsAndUnfinishedFoldersAreRefused) {
  ASSERT_EQ(features("test").exit_code, 0);
  const auto other = features("test", {"eval.crops=3", "eval.batch_size=12"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.errors, AllOf(HasSubstr("crops (1, now 3)"), HasSubstr("views (1, now 3)")));
  EXPECT_EQ(features("test", {"text.templates="}).exit_code, 0) << "texts alone are encoded again";
  const auto frames = run_program({"sweep", "--features", folder_ / "test", "--pool", "mean"});
  EXPECT_EQ(frames.exit_code, 1);
  EXPECT_THAT(frames.errors, HasSubstr("--frames"));
  EXPECT_EQ(run_program({"sweep", "--features", folder_ / "test", "--subset", "9"}).exit_code, 2);
  std::filesystem::remove(folder_ / "test/index.json");
  const auto unfinished = run_program({"sweep", "--features", folder_ / "test"});
  EXPECT_EQ(unfinished.exit_code, 1);
  EXPECT_THAT(unfinished.errors, HasSubstr("not all videos are encoded yet"));
}

}  // namespace
}  // namespace actionclip
