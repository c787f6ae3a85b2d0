// Runs that train a part of the model, or otherwise than by contrast: linear probe, cross-entropy over all
// classes, running average; and what resuming leaves as it is.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Arguments = std::vector<std::string>;

class TrainedPartsRun : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  ProgramResult run(const std::string& command, Arguments arguments) {
    arguments.insert(arguments.begin(), {command, "--config", folder_ / "config.yaml"});
    return run_program(arguments);
  }

  ProgramResult train(const std::string& name, Arguments arguments) {
    arguments.insert(arguments.begin(), {"--output", folder_ / name});
    return run("train", std::move(arguments));
  }

  // What a run is that starts from the weights of another.
  Arguments from(const std::string& name, Arguments arguments) {
    arguments.insert(arguments.end(),
                     {"model.init.image=weights", "model.init.text=weights", "model.weights=" + last(name)});
    return arguments;
  }

  std::string last(const std::string& name) { return folder_ / (name + "/checkpoints/last"); }

  std::map<std::string, at::Tensor> tensors(const std::string& name) {
    return read_tensors(last(name) + "/model.safetensors");
  }

  std::vector<double> losses(const std::string& name) {
    std::vector<double> result;
    for (const auto& line : lines_of(read_text(folder_ / (name + "/metrics.jsonl")))) {
      const auto record = nlohmann::json::parse(line);
      if (record.at("split") != "summary") result.push_back(record.at("loss").get<double>());
    }
    return result;
  }

  TemporaryFolder folder_;
};

TEST_F(TrainedPartsRun, ALinearProbeLearnsItsClassifierAloneAndScoresItsOwnLabelsAlone) {
  ASSERT_EQ(train("start", {"train.max_steps=1"}).exit_code, 0);
  const Arguments probe = {"model.classifier=true", "train.image_blocks=0", "train.fix_fusion=true",
                           "train.epochs=2", "eval.every_epochs=1"};
  const auto trained = train("probe", from("start", probe));
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  const auto before = tensors("start"), after = tensors("probe");
  for (const auto& [name, tensor] : before) EXPECT_TRUE(at::equal(after.at(name), tensor)) << name;
  EXPECT_EQ(after.size(), before.size() + 2);
  EXPECT_GT(after.at("classifier.bias").norm().item<double>(), 0);

  const std::string video = folder_ / "data/videos/test/00000.mp4";
  const auto scored = run("evaluate", {"--weights", last("probe"), "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.errors;
  EXPECT_EQ(nlohmann::json::parse(scored.output).at("samples"), 10);
  const auto predicted = run_program({"predict", "--weights", last("probe"), "--json", video});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.errors;
  const auto predictions = nlohmann::json::parse(predicted.output);
  double sum = 0;
  for (const auto& entry : predictions.at(0).at("predictions")) sum += entry.at("probability").get<double>();
  EXPECT_NEAR(sum, 1, 1e-4);

  const auto unseen =
      run("zero-shot", {"--weights", last("probe"), "--labels", folder_ / "data/zero_shot_labels.csv",
                        "--list", folder_ / "data/zero_shot.txt"});
  const auto others = run_program(
      {"predict", "--weights", last("probe"), "--labels", folder_ / "data/zero_shot_labels.csv", video});
  for (const auto& refused : {unseen, others}) {
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, AllOf(HasSubstr("model.safetensors: ends in a linear classifier of the 152"),
                                      HasSubstr("40 labels are given")));
  }
}

TEST_F(TrainedPartsRun, OneThatDropsAndAveragesGoesOnAsIfItHadNotStopped) {
  const Arguments settings = {"model.fusion=Transf_cls",       "model.vision.layers=2",
                              "model.drop_path=0.2",           "train.accumulate_steps=2",
                              "train.ema_decay=0.9",           "train.layer_decay=0.8",
                              "train.objective=cross_entropy", "data.val.list="};
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), settings.begin(), settings.end());
    return more;
  };
  const auto straight = train("straight", with({"train.max_steps=8"}));
  ASSERT_EQ(straight.exit_code, 0) << straight.errors;
  ASSERT_EQ(train("parted", with({"train.max_steps=3"})).exit_code, 0);
  ASSERT_EQ(train("parted", with({"train.max_steps=8", "--resume"})).exit_code, 0);
  EXPECT_EQ(losses("parted"), losses("straight"));
  for (const char* file : {"model.safetensors", "ema.safetensors", "optimizer.safetensors"})
    EXPECT_EQ(read_text(last("parted") + "/" + file), read_text(last("straight") + "/" + file)) << file;
  ASSERT_EQ(train("undropped", with({"train.max_steps=1", "model.drop_path=0"})).exit_code, 0);
  EXPECT_NE(losses("undropped").at(0), losses("straight").at(0)) << "paths were dropped";
}

TEST_F(TrainedPartsRun, TheAverageIsAWeightsFileOfItsOwn) {
  ASSERT_EQ(train("run", {"train.max_steps=3", "train.ema_decay=0.9", "train.text_blocks=0"}).exit_code, 0);
  const std::string average_file = last("run") + "/ema.safetensors";
  const char* warning = "model.safetensors is read, but the run's validation used the average";
  const std::string video = folder_ / "data/videos/test/00000.mp4";
  for (const auto& result : {run("evaluate", {"--weights", last("run"), "--json"}),
                             run_program({"predict", "--weights", last("run"), "--json", video})}) {
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.errors, AllOf(HasSubstr(warning), HasSubstr("/ema.safetensors")));
  }
  for (const auto& result :
       {run("evaluate", {"--weights", average_file, "--json"}),
        run("evaluate", {"--weights", last("run") + "/model.safetensors", "--json"}),
        train("run", {"train.max_steps=4", "train.ema_decay=0.9", "train.text_blocks=0", "--resume"})}) {
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.errors, Not(HasSubstr(warning)));
  }
  const auto average = read_tensors(average_file), weights = tensors("run");
  EXPECT_TRUE(at::equal(average.at("text_projection"), weights.at("text_projection")));
  EXPECT_FALSE(at::equal(average.at("visual.proj"), weights.at("visual.proj")));
}

// What is scored is the average.
TEST_F(TrainedPartsRun, FewShotTrainsAClassifierOfItsOwnLabels) {
  ASSERT_EQ(train("start", {"train.max_steps=1"}).exit_code, 0);
  const Arguments data = {"data.labels=" + (folder_ / "data/few_shot_labels.csv").string(),
                          "data.test.list=" + (folder_ / "data/few_shot_test.txt").string()};
  Arguments arguments = {"--output",
                         folder_ / "few",
                         "--shots",
                         "0,2",
                         "--seeds",
                         "1",
                         "--json",
                         "data.train.list=" + (folder_ / "data/few_shot_train.txt").string(),
                         "train.epochs=4",
                         "train.schedule.warmup_epochs=0",
                         "model.classifier=true",
                         "train.ema_decay=0.5"};
  arguments.insert(arguments.end(), data.begin(), data.end());
  const auto result = run("few-shot", from("start", std::move(arguments)));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto rows = nlohmann::json::parse(result.output).at("rows");
  ASSERT_EQ(rows.size(), 2u);
  const auto checkpoint = last("few/shots-2-seed-1");
  const auto weights = read_tensors(checkpoint + "/model.safetensors");
  const auto average = read_tensors(checkpoint + "/ema.safetensors");
  EXPECT_EQ(weights.at("classifier.weight").sizes(), (std::vector<std::int64_t>{10, 64}));
  EXPECT_GT(weights.at("classifier.bias").norm().item<double>(), 0) << "it learnt";
  EXPECT_FALSE(at::equal(average.at("classifier.weight"), weights.at("classifier.weight")));

  Arguments scored = {"--weights", checkpoint + "/ema.safetensors", "--json"};
  scored.insert(scored.end(), data.begin(), data.end());
  const auto evaluated = run("evaluate", std::move(scored));
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  const auto json = nlohmann::json::parse(evaluated.output);
  EXPECT_EQ(json.at("samples"), 10);
  EXPECT_NEAR(rows.at(1).at("top1").at(0).get<double>(), json.at("top1").get<double>(), 1e-9);
}

TEST_F(TrainedPartsRun, SettingsThatContradictEachOtherAreToldBeforeAnythingIsRead) {
  const auto refused = train("run", {"train.text_blocks=1", "text.fix_text=true"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("train.text_blocks: text.fix_text: true freezes the text encoder"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace actionclip
