// `predict` on real and synthetic videos, frame folders, and weights in the published ActionCLIP layout.

#include <limits>

#include <ATen/ops/full_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/weights/preprocessing.h"

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    run_python("published_checkpoint.py", {folder_.path().string()});
    write_text(folder_ / "labels.txt", "arm wrestling\nflipping a pancake\njuggling\n");
  }

  ProgramResult predict(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"predict", "--weights", weights_, "--labels", folder_ / "labels.txt"});
    return run_program(arguments);
  }

  // Three labels, sorted, probabilities that sum to one.
  static void expect_predictions(const nlohmann::json& video) {
    const auto& predictions = video.at("predictions");
    ASSERT_EQ(predictions.size(), 3u);
    double sum = 0, last = 2;
    for (const auto& entry : predictions) {
      const double probability = entry.at("probability").get<double>();
      EXPECT_LE(probability, last);
      EXPECT_GE(entry.at("similarity").get<double>(), -1.001);
      EXPECT_LE(entry.at("similarity").get<double>(), 1.001);
      last = probability;
      sum += probability;
    }
    EXPECT_NEAR(sum, 1, 1e-4);
  }

  TemporaryFolder folder_;
  std::string weights_ = folder_ / "published.pt";
};

TEST_F(Predict, FourRealFilesGiveThreeAnswersAndOneClearFailure) {
  const std::filesystem::path videos = test_data_folder() / "videos";
  if (!std::filesystem::exists(videos)) GTEST_SKIP() << "no real videos here";
  const std::vector<std::string> files = {videos / "arm_wrestling.mp4", videos / "flipping_a_pancake.mkv",
                                          videos / "mpeg4_25fps.avi", videos / "corrupted.mp4"};
  auto arguments = files;
  arguments.emplace_back("--json");
  const auto result = predict(arguments);
  EXPECT_EQ(result.exit_code, 1);
  const auto json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json.size(), 4u);
  for (int i = 0; i < 3; ++i) expect_predictions(json[i]);
  EXPECT_THAT(json[3].at("error").get<std::string>(), HasSubstr("corrupted.mp4"));
  EXPECT_FALSE(json[3].contains("predictions"));
  const auto good = predict({files[0], files[1], files[2]});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(good.output, HasSubstr("juggling"));
}

TEST_F(Predict, AFrameFolderIsAVideo) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "12"});
  const auto result = predict({folder_ / "frames", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  expect_predictions(nlohmann::json::parse(result.output)[0]);
}

TEST_F(Predict, FramesSaysHowManyAVideoWhereTheWeightsDoNotTell) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "12"});
  const auto with = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--json", folder_ / "frames"});
    const auto result = predict(options);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output).at(0).at("predictions");
  };
  EXPECT_EQ(with({}), with({"--frames", "8"}));
  EXPECT_NE(with({}), with({"--frames", "3"}));
}

TEST_F(Predict, OtherFramesThanTheWeightsTellAreRefused) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "12"});
  auto weights = load_weights(weights_);
  weights.config.fusion.frames = 4;
  weights_ = folder_ / "four.safetensors";
  write_weights(weights_, weights.tensors, to_metadata(weights.config));
  const auto refused = predict({folder_ / "frames", "--frames", "16"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("--frames 16: the weights are of a model that has 4"));
  EXPECT_EQ(refused.output, "");
  EXPECT_EQ(predict({folder_ / "frames", "--frames", "4"}).exit_code, 0);
  EXPECT_EQ(predict({folder_ / "frames"}).exit_code, 0);
}

TEST_F(Predict, WhatNoFileTellsIsAssumedWithOneWarning) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  const auto warnings = [&] {
    const auto result = predict({folder_ / "frames"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::vector<std::string> lines;
    for (const auto& line : lines_of(result.errors)) {
      if (line.find("no file tells") != std::string::npos) lines.push_back(line);
    }
    return lines;
  };
  const auto published = load_weights(weights_);
  ASSERT_TRUE(published.told.activation) << "by whose code it is";
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("the heads: image "), HasSubstr("open_clip's"),
                                            Not(HasSubstr("activation")))));
  weights_ = folder_ / "plain.safetensors";
  write_weights(weights_, published.tensors, {});
  EXPECT_THAT(warnings(),
              ElementsAre(AllOf(HasSubstr("plain.safetensors: no file tells the activation: quick_gelu is "
                                          "assumed, nor the heads: image "),
                                HasSubstr("plain.safetensors OUT --to native` with --activation NAME"))));
  write_weights(weights_, published.tensors, to_metadata(published.config));
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(Predict, ALabelOfTheWeightsDoesNotControlTheTerminal) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  const auto weights = load_weights(weights_);
  auto metadata = to_metadata(weights.config);
  metadata[std::string(kLabelsKey)] = R"(["juggling \u009b31m", "arm wrestling"])";
  const auto file = (folder_ / "labels.safetensors").string();
  write_weights(file, weights.tensors, metadata);
  const auto result = run_program({"predict", "--weights", file, folder_ / "frames"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("juggling \\xc2\\x9b31m\n"), Not(HasSubstr("\xc2\x9b"))));
}

TEST_F(Predict, ScoresThatAreNotFiniteAreAFailure) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  auto tensors = load_weights(weights_).tensors;
  auto& projection = tensors.at("visual.proj");
  projection = at::full_like(projection, std::numeric_limits<double>::quiet_NaN());
  weights_ = folder_ / "nan.safetensors";
  write_weights(weights_, tensors, {});
  const auto table = predict({folder_ / "frames"});
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_THAT(table.output, HasSubstr("failed: scores are not finite"));
  const auto result = predict({folder_ / "frames", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  const auto video = nlohmann::json::parse(result.output).at(0);
  EXPECT_EQ(video.at("error"), "scores are not finite");
  EXPECT_FALSE(video.contains("predictions"));
}

TEST_F(Predict, ALabelThatIsLongerThanTheContextIsRefusedOrCut) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  std::string label;
  for (int i = 0; i < 100; ++i) label += "running ";
  write_text(folder_ / "labels.txt", "arm wrestling\njuggling\n" + label + "\n");
  const auto refused = predict({folder_ / "frames"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("the context holds 77"), HasSubstr("--truncate")));
  const auto cut = predict({folder_ / "frames", "--truncate", "--json"});
  EXPECT_EQ(cut.exit_code, 0) << cut.errors;
  expect_predictions(nlohmann::json::parse(cut.output).at(0));
}

TEST_F(Predict, AnOutputFileThatCannotBeWrittenCostsNoPrintedAnswer) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  std::filesystem::create_directories(folder_ / "out/predictions.json/taken");
  const auto result = predict({folder_ / "frames", "--json", "--output", folder_ / "out"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("predictions.json"));
  expect_predictions(nlohmann::json::parse(result.output).at(0));
}

TEST_F(Predict, OutputGetsThePredictionsAsAFileToo) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  const auto result = predict({folder_ / "frames", "--output", folder_ / "out"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("juggling"));
  expect_predictions(nlohmann::json::parse(read_text(folder_ / "out/predictions.json")).at(0));
}

TEST_F(Predict, ANameThatIsNotUtf8CostsNoAnswer) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  std::filesystem::rename(folder_ / "frames", folder_ / "caf\xe9");
  const std::string replaced = "caf\xEF\xBF\xBD";
  const auto good = predict({folder_ / "caf\xe9"});
  EXPECT_EQ(good.exit_code, 0) << good.errors;
  EXPECT_THAT(good.output, HasSubstr("juggling"));
  const auto result =
      predict({folder_ / "caf\xe9", folder_ / "caf\xe9.mp4", "--json", "--output", folder_ / "out"});
  EXPECT_EQ(result.exit_code, 1);
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at(0).at("video"), (folder_ / replaced).string());
  expect_predictions(json.at(0));
  EXPECT_THAT(json.at(1).at("error").get<std::string>(), HasSubstr(replaced + ".mp4"));
  EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "out/predictions.json")), json);
}

TEST_F(Predict, AnOutputThatCannotBeMadeStopsThePredictionBeforeItsWork) {
  write_text(folder_ / "file", "");
  const auto result = predict({folder_ / "absent.mp4", "--output", folder_ / "file/out"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("file/out"));
  EXPECT_EQ(result.output, "");
}

TEST_F(Predict, ExplainGetsAFolderForEachVideoAndOtherNumbersAreThere) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "12"});
  const std::vector<std::string> videos = {folder_ / "frames", folder_ / "absent.mp4", folder_ / "frames/"};
  auto arguments = videos;
  arguments.insert(arguments.end(), {"--json", "--explain", folder_ / "why"});
  const auto result = predict(arguments);
  EXPECT_EQ(result.exit_code, 1) << "one of the videos is absent";
  const auto json = nlohmann::json::parse(result.output);
  expect_predictions(json.at(0));
  EXPECT_EQ(json.at(0).at("explanation"), (folder_ / "why/frames").string());
  EXPECT_FALSE(json.at(1).contains("explanation"));
  EXPECT_THAT(json.at(1).at("error").get<std::string>(), HasSubstr("absent.mp4"));
  EXPECT_EQ(json.at(2).at("explanation"), (folder_ / "why/frames-2").string());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "why/absent"));
  for (const char* name : {"explanation.json", "similarity.csv", "similarity.svg", "attention.png",
                           "attention.mp4", "attention/frame_0000.png", "attention/frame_0007.png"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / "why/frames-2" / name)) << name;
  const auto why = nlohmann::json::parse(read_text(folder_ / "why/frames/explanation.json"));
  EXPECT_EQ(why.at("frames").size(), 8u);
  EXPECT_EQ(why.at("decision").at("label"), json.at(0).at("predictions").at(0).at("label"));
  EXPECT_EQ(why.at("decision").at("by"), "leave_one_out");
  const auto plain = nlohmann::json::parse(predict({folder_ / "frames", "--json"}).output).at(0);
  EXPECT_EQ(json.at(0).at("predictions"), plain.at("predictions")) << "explaining changes no answer";
}

TEST_F(Predict, AnExplanationThatWouldTakeThePlaceOfOtherFilesIsRefusedBeforeTheWork) {
  folder_.write("why/clip/notes.txt", "mine");
  const auto result = predict({folder_ / "clip.mp4", "--explain", folder_ / "why"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("clip/notes.txt is no part of an explanation"));
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(read_text(folder_ / "why/clip/notes.txt"), "mine");
}

TEST_F(Predict, AMissingVideoFailsAloneAndWeightsThatAreNoneFailAll) {
  run_python("frame_folder.py", {(folder_ / "frames").string(), "3"});
  const auto result = predict({folder_ / "absent.mp4", folder_ / "frames", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_TRUE(json[0].contains("error"));
  expect_predictions(json[1]);
  write_text(folder_ / "published.pt", "<html>not weights</html>");
  const auto refused = predict({folder_ / "frames"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("published.pt"));
}

}  // namespace
}  // namespace actionclip
