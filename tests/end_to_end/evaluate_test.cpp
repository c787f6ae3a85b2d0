// `evaluate` and `zero-shot`: what they read, what they refuse, and what they leave.

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
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

constexpr int kLabels = 152;  // of the synthetic training set
constexpr int kVideos = 10;   // of the tiny experiment's test split

class Evaluation : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    const auto trained = run_program(
        {"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run", "train.max_steps=1"});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  }

  ProgramResult evaluate(std::vector<std::string> arguments) { return run("evaluate", std::move(arguments)); }
  ProgramResult zero_shot(std::vector<std::string> arguments) {
    return run("zero-shot", std::move(arguments));
  }

  TemporaryFolder folder_;
  std::string weights_ = folder_ / "run/checkpoints/last";

 private:
  ProgramResult run(const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {command, "--config", folder_ / "config.yaml", "--weights", weights_});
    return run_program(arguments);
  }
};

nlohmann::json parse(const ProgramResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

// The numbers of a confusion matrix's rows; labels may hold commas.
std::vector<std::vector<int>> matrix_of(const std::string& csv) {
  std::vector<std::vector<int>> rows;
  const auto lines = lines_of(csv);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::vector<std::string> fields;
    std::istringstream stream(lines[i]);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    auto& row = rows.emplace_back();
    for (std::size_t j = fields.size() - std::min<std::size_t>(kLabels, fields.size()); j < fields.size();
         ++j)
      row.push_back(std::stoi(fields[j]));
  }
  return rows;
}

TEST_F(Evaluation, OutputGetsTheClassesAndTheConfusionMatrix) {
  std::string names;
  for (int i = 0; i < kLabels; ++i) names += fmt::format("label {}, of the test\n", i);
  write_text(folder_ / "labels.txt", names);
  const auto json = parse(evaluate({"--per-class", "--json", "--output", folder_ / "out",
                                    "data.labels=" + (folder_ / "labels.txt").string()}));
  const auto file = nlohmann::json::parse(read_text(folder_ / "out/evaluation.json"));
  EXPECT_EQ(file, json);
  double top1 = 0;
  int samples = 0;
  for (const auto& entry : json.at("per_class")) {
    EXPECT_THAT(entry.at("label").get<std::string>(), HasSubstr(", of the test"));
    samples += entry.at("samples").get<int>();
    top1 += entry.at("top1").get<double>() * entry.at("samples").get<int>();
  }
  EXPECT_EQ(samples, kVideos);
  EXPECT_NEAR(top1 / kVideos, json.at("top1").get<double>(), 1e-9);

  const auto csv = read_text(folder_ / "out/confusion.csv");
  EXPECT_THAT(lines_of(csv)[0], HasSubstr("label,\"label 0, of the test\",\"label 1, of the test\""));
  const auto matrix = matrix_of(csv);
  ASSERT_EQ(matrix.size(), static_cast<std::size_t>(kLabels));
  int videos = 0, hits = 0;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    ASSERT_EQ(matrix[i].size(), static_cast<std::size_t>(kLabels));
    for (const int count : matrix[i]) videos += count;
    hits += matrix[i][i];
  }
  EXPECT_EQ(videos, kVideos);
  EXPECT_NEAR(100.0 * hits / kVideos, json.at("top1").get<double>(), 1e-9);
}

TEST_F(Evaluation, ABrokenVideoIsLoggedOnceAndNamedInTheJson) {
  write_text(folder_ / "data/videos/test/00003.mp4", "broken");
  const auto result = evaluate({"--json", "data.max_failed_share=0.5"});
  const auto json = parse(result);
  int lines = 0;
  for (const auto& line : lines_of(result.errors)) lines += line.find("00003.mp4") != std::string::npos;
  EXPECT_EQ(lines, 1) << result.errors;
  ASSERT_EQ(json.at("failed_videos").size(), 1u);
  EXPECT_THAT(json.at("failed_videos")[0].at("path").get<std::string>(), HasSubstr("test/00003.mp4"));
}

TEST_F(Evaluation, ANameThatIsNotUtf8CostsNoResult) {
  const std::string list = folder_ / "data/caf\xe9.txt", replaced = "caf\xEF\xBF\xBD";
  write_text(list, read_text(folder_ / "data/test.txt") + "videos/test/caf\xe9.mp4 0\n");
  std::filesystem::copy_file(list, folder_ / "data/odd.txt");
  const auto evaluated = parse(evaluate({"--json", "--output", folder_ / "out", "data.max_failed_share=0.5",
                                         "data.test.list=" + (folder_ / "data/odd.txt").string()}));
  EXPECT_THAT(evaluated.at("failed_videos").at(0).at("path").get<std::string>(),
              HasSubstr(replaced + ".mp4"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/evaluation.json"));
  const auto zero =
      parse(zero_shot({"--json", "--output", folder_ / "out", "--list", list, "data.max_failed_share=0.5"}));
  EXPECT_THAT(zero.at("splits").at(0).at("list").get<std::string>(), HasSubstr(replaced + ".txt"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/zero_shot.json"));
}

TEST_F(Evaluation, WeightsWhoseNameIsNotUtf8AreRefusedByName) {
  weights_ = folder_ / "caf\xe9";
  std::filesystem::create_directory(weights_);
  const auto result = evaluate({});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr(weights_), HasSubstr("not UTF-8")));
}

TEST_F(Evaluation, SettingsOfTheModelThatTheWeightsDecideAreRefused) {
  for (const char* setting : {"model.frames=32", "model.fusion=meanP", "model.vision.width=128",
                              "model.mean=[0, 0, 0]", "model.vision.heads=2"}) {
    const auto result = evaluate({setting});
    EXPECT_EQ(result.exit_code, 2) << setting;
    EXPECT_THAT(result.errors, HasSubstr(setting));
    EXPECT_EQ(result.output, "");
  }
  EXPECT_EQ(evaluate({"model.frames=4", "model.vision.heads=1"}).exit_code, 0);
}

TEST_F(Evaluation, AMeanOfTheExperimentThatTheWeightsContradictIsRefused) {
  write_text(folder_ / "mean.yaml", "base: config.yaml\nmodel: {mean: [0, 0, 0]}\n");
  const auto refused = run_program({"evaluate", "--config", folder_ / "mean.yaml", "--weights", weights_});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("model.mean: [0, 0, 0] is given"));
}

// Tensors alone, as OpenAI's and the published files hold them.
TEST_F(Evaluation, WhatTheWeightsDoNotTellIsTheExperiments) {
  const std::vector<std::string> settings = {"model.mean=[0.2, 0.3, 0.4]", "model.std=[0.5, 0.5, 0.5]",
                                             "model.vision.heads=2", "model.text.heads=4"};
  std::vector<std::string> arguments = {"train",    "--config",      folder_ / "config.yaml",
                                        "--output", folder_ / "two", "train.max_steps=1"};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  const auto trained = run_program(arguments);
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  weights_ = folder_ / "two/checkpoints/last";
  const auto loss_with = [&](std::vector<std::string> overrides) {
    overrides.emplace_back("--json");
    return parse(evaluate(overrides)).at("loss").get<double>();
  };
  const double told = loss_with({});
  const auto tensors = load_weights(weights_).tensors;
  weights_ = folder_ / "bare.safetensors";
  write_weights(weights_, tensors, {});
  EXPECT_EQ(loss_with(settings), told);
  for (std::size_t left_out = 0; left_out < settings.size(); ++left_out) {
    auto others = settings;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
    EXPECT_NE(loss_with(others), told) << settings[left_out];
  }
}

TEST_F(Evaluation, TheFolderOfTheWeightsMayHaveAnyName) {
  for (const char* name : {"a #1", "b: \"two\"", "it's [3]", "4"}) {
    std::filesystem::create_directories(folder_ / name);
    std::filesystem::copy_file(folder_ / "run/checkpoints/last/model.safetensors",
                               folder_ / name / "model.safetensors");
    weights_ = folder_ / name;
    const auto result = evaluate({"--json"});
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.errors;
  }
}

TEST_F(Evaluation, OnlyTheFilesThatAreReadMustExist) {
  std::filesystem::remove(folder_ / "data/train.txt");
  std::filesystem::remove(folder_ / "data/val.txt");
  EXPECT_EQ(evaluate({}).exit_code, 0);
  std::filesystem::remove(folder_ / "data/test.txt");
  std::filesystem::remove(folder_ / "data/labels.csv");
  const auto zero = zero_shot(
      {"--labels", folder_ / "data/zero_shot_labels.csv", "--list", folder_ / "data/zero_shot.txt"});
  EXPECT_EQ(zero.exit_code, 0) << zero.errors;
  const auto refused = evaluate({});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors,
              AllOf(HasSubstr("data.test.list: no such file"), HasSubstr("data.labels: no such file"),
                    Not(HasSubstr("data.train.list")), Not(HasSubstr("data.val.list"))));
}

TEST_F(Evaluation, AZeroShotListIsReadFromItsOwnFolderOrFromRoot) {
  const std::string labels = folder_ / "data/zero_shot_labels.csv";
  const std::string list = folder_ / "data/zero_shot.txt";
  std::filesystem::create_directories(folder_ / "elsewhere");
  const std::string root = "data.test.root=" + (folder_ / "elsewhere").string();
  const auto own = parse(zero_shot({"--labels", labels, "--json", root, "--list", list}));
  EXPECT_EQ(own.at("splits").at(0).at("failed"), 0);

  const std::string moved = folder_ / "elsewhere/list.txt";
  std::filesystem::copy_file(list, moved);
  const auto rooted =
      parse(zero_shot({"--labels", labels, "--list", moved, "--root", folder_ / "data", "--json"}));
  EXPECT_EQ(rooted.at("splits").at(0).at("failed"), 0);
  EXPECT_EQ(rooted.at("splits").at(0).at("top1"), own.at("splits").at(0).at("top1"));
  EXPECT_EQ(zero_shot({"--labels", labels, "--root", folder_ / "data"}).exit_code, 2);
}

TEST_F(Evaluation, TheWordBehindAListIsAnOverride) {
  const std::string list = folder_ / "data/zero_shot.txt";
  const auto json = parse(zero_shot({"--json", "--labels", folder_ / "data/zero_shot_labels.csv", "--list",
                                     list, "eval.clips=2", "--list", list, "eval.batch_size=3"}));
  ASSERT_EQ(json.at("splits").size(), 2u);
  EXPECT_EQ(json.at("splits").at(1).at("views"), 2);
}

TEST_F(Evaluation, AnOutputFileThatCannotBeWrittenCostsNoPrintedResult) {
  for (const char* name : {"evaluation.json", "zero_shot.json"})
    std::filesystem::create_directories(folder_ / "out" / name / "taken");
  for (const auto& result : {evaluate({"--json", "--output", folder_ / "out"}),
                             zero_shot({"--json", "--output", folder_ / "out"})}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(nlohmann::json::parse(result.output).is_object());
  }
}

TEST_F(Evaluation, LabelsWithoutTheColumnAreNamedWithTheSettingThatAsksForIt) {
  const std::string labels = folder_ / "own.txt";
  std::string text;
  for (int id = 0; id < kLabels; ++id) text += fmt::format("label {}\n", id);
  write_text(labels, text);
  const auto failed = zero_shot({"--labels", labels, "eval.group_by=[motion]"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.errors, AllOf(HasSubstr("own.txt"), HasSubstr("eval.group_by"), HasSubstr("motion")));
  const auto fine =
      zero_shot({"--labels", labels, "eval.group_by=[motion]", "eval.group_by=", "eval.pair_by="});
  EXPECT_EQ(fine.exit_code, 0) << fine.errors;
}

TEST_F(Evaluation, ZeroShotSaysHowManyLabelsWereTrainedOn) {
  const auto seen = zero_shot({"--output", folder_ / "seen"});
  ASSERT_EQ(seen.exit_code, 0) << seen.errors;
  EXPECT_THAT(seen.output, AllOf(HasSubstr("152 of them trained on"), Not(HasSubstr("none trained on"))));
  EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "seen/zero_shot.json")).at("labels_trained_on"),
            kLabels);
  const auto unseen = zero_shot({"--labels", folder_ / "data/zero_shot_labels.csv", "--list",
                                 folder_ / "data/zero_shot.txt", "--output", folder_ / "unseen"});
  ASSERT_EQ(unseen.exit_code, 0) << unseen.errors;
  EXPECT_THAT(unseen.output, HasSubstr("none trained on"));
  EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "unseen/zero_shot.json")).at("labels_trained_on"), 0);
}

}  // namespace
}  // namespace actionclip
