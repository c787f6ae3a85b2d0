// Protocols, strict zero-shot and the cache of texts, as a user meets them.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/labels.h"

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Protocols : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    const auto trained = run_program(
        {"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run", "train.max_steps=1"});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  }

  ProgramResult run(const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {command, "--config", folder_ / "config.yaml", "--weights",
                                         folder_ / "run/checkpoints/last"});
    return run_program(arguments);
  }

  nlohmann::json result_of(const std::string& command, std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const auto result = run(command, std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output);
  }

  ProgramResult zero_shot(const std::string& labels, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--labels", labels, "--list", folder_ / "data/zero_shot.txt"});
    return run("zero-shot", std::move(arguments));
  }

  // The unseen labels, of which `planted` have the names of training labels, written otherwise.
  std::string plant(const std::set<std::int64_t>& planted) {
    const auto trained = read_labels(folder_ / "data/labels.csv");
    const auto unseen = read_labels(folder_ / "data/zero_shot_labels.csv");
    std::string text;
    for (std::int64_t id = 0; id < unseen.size(); ++id)
      text += (planted.contains(id) ? as_class_name(trained.name(id)) : unseen.name(id)) + "\n";
    return folder_.write("planted.txt", text);
  }

  // "a red disc" -> "A_RED_DISC".
  static std::string as_class_name(std::string name) {
    for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
  }

  std::string path(const std::string& name) const { return folder_ / name; }

  TemporaryFolder folder_;
};

TEST_F(Protocols, PlantedTrainingLabelsAreCaughtAndAccuracyIsGivenWithoutThem) {
  const std::set<std::int64_t> planted = {0, 7, 39};
  const auto labels = plant(planted);
  const auto shown = zero_shot(labels, {"--output", path("out")});
  ASSERT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.errors, HasSubstr("3 of the 40 labels were in the training set"));
  const auto names = read_labels(labels);
  EXPECT_THAT(shown.output, AllOf(HasSubstr("3 of them trained on"), HasSubstr("trained on (3): "),
                                  HasSubstr(names.name(39)), HasSubstr("without the 3 label(s) trained on")));

  const auto json = nlohmann::json::parse(read_text(folder_ / "out/zero_shot.json"));
  EXPECT_EQ(json.at("labels_trained_on"), 3);
  const auto& split = json.at("splits").at(0);
  const auto& same = split.at("trained").at("same");
  ASSERT_EQ(same.size(), 3u);
  EXPECT_EQ(same.at(1).at("label"), names.name(7));
  EXPECT_EQ(same.at(1).at("trained"), read_labels(folder_ / "data/labels.csv").name(7));
  std::int64_t videos = 0;
  for (const auto& line : lines_of(read_text(folder_ / "data/zero_shot.txt")))
    videos += planted.contains(std::stoll(line.substr(line.rfind(' ') + 1))) ? 0 : 1;
  EXPECT_EQ(split.at("strict").at("videos"), videos);
  EXPECT_EQ(split.at("strict").at("labels"), 37);
  EXPECT_EQ(json.at("strict_top1_mean"), split.at("strict").at("top1"));
}

TEST_F(Protocols, WithoutTrainedLabelsAmongThemStrictAccuracyIsTheUsual) {
  const auto json = nlohmann::json::parse(
      zero_shot(path("data/zero_shot_labels.csv"), {"--json", "--near-similarity", "-1"}).output);
  const auto& split = json.at("splits").at(0);
  EXPECT_TRUE(split.at("trained").at("same").empty());
  EXPECT_EQ(split.at("trained").at("near").size(), 40u) << "each is nearest to one";
  EXPECT_EQ(split.at("strict").at("top1"), split.at("top1"));
  EXPECT_EQ(split.at("strict").at("top1_of_left"), split.at("top1"));
}

TEST_F(Protocols, TrainedLabelsOfAFileTakeThePlaceOfThoseOfTheWeights) {
  folder_.write("trained.txt", as_class_name(read_labels(path("data/zero_shot_labels.csv")).name(5)) + "\n");
  const auto json = nlohmann::json::parse(
      zero_shot(path("data/zero_shot_labels.csv"), {"--json", "--trained-labels", path("trained.txt")})
          .output);
  EXPECT_EQ(json.at("labels_trained_on"), 1);
}

TEST_F(Protocols, ARecordedListMatchesWhereverItLiesAndAnotherOneDoesNot) {
  const auto recorded = run("evaluate", {"--record", path("tiny.yaml")});
  ASSERT_EQ(recorded.exit_code, 0) << recorded.errors;
  const auto text = read_text(folder_ / "data/test.txt");
  folder_.write("data/reordered.txt", [&] {
    auto lines = lines_of(text);
    std::reverse(lines.begin(), lines.end());
    return fmt::format("{}\n", fmt::join(lines, "\n"));
  }());
  const auto same = result_of(
      "evaluate", {"--protocol", path("tiny.yaml"), "data.test.list=" + path("data/reordered.txt")});
  EXPECT_EQ(same.at("protocol").at("name"), "tiny:test");
  EXPECT_EQ(same.at("protocol").at("matches"), true);
  EXPECT_EQ(same.at("protocol").at("sha256").get<std::string>().size(), 64u);

  folder_.write("data/shorter.txt", text.substr(0, text.rfind('\n', text.size() - 2) + 1));
  const auto other = run("evaluate", {"--protocol", path("tiny.yaml"), "--output", path("out"),
                                      "data.test.list=" + path("data/shorter.txt")});
  EXPECT_EQ(other.exit_code, 0) << other.errors;
  EXPECT_THAT(other.errors, AllOf(HasSubstr("shorter.txt"), HasSubstr("videos: 9, the protocol has 10")));
  EXPECT_THAT(other.output, HasSubstr("ANOTHER ONE"));
  const auto file = nlohmann::json::parse(read_text(folder_ / "out/evaluation.json"));
  EXPECT_EQ(file.at("protocol").at("matches"), false);
  EXPECT_EQ(file.at("protocol").at("differences").size(), 2u) << file.at("protocol");
}

TEST_F(Protocols, WhatCannotBeComparedOrRecordedIsRefusedBeforeAnythingIsScored) {
  const auto refused = [&](const std::vector<std::string>& arguments, const char* message) {
    const auto result = run("evaluate", arguments);
    EXPECT_EQ(result.exit_code, 2) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(result.output, "");
  };
  refused({"--protocol", "ucf102"}, "nearest: ucf101");
  refused({"--protocol", "ucf101:test9"}, "full, test1, test2, test3");
  refused({"--protocol", "ucf101", "--protocol", "hmdb51"}, "2 given for 1 list(s)");
  refused({"--record", path("data/test.txt")}, "is there already");
}

TEST_F(Protocols, TheSettingsMayNameTheProtocolOfAListWhichTheCommandLineOverrules) {
  ASSERT_EQ(run("evaluate", {"--record", path("tiny.yaml")}).exit_code, 0);
  const auto setting = "data.test.protocol=" + path("tiny.yaml");
  EXPECT_EQ(result_of("evaluate", {setting}).at("protocol").at("matches"), true);
  EXPECT_EQ(result_of("evaluate", {setting, "--protocol", "ucf101:test1"}).at("protocol").at("matches"),
            false);
  const auto of_another = zero_shot(path("data/zero_shot_labels.csv"), {"--json", setting});
  EXPECT_FALSE(nlohmann::json::parse(of_another.output).at("splits").at(0).contains("protocol"))
      << "--list takes the place of the list that it is of";
  const auto unknown = run("evaluate", {"data.test.protocol=ucf102"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.errors, AllOf(HasSubstr("test.txt"), HasSubstr("nearest: ucf101")));
}

TEST_F(Protocols, EachListMayHaveItsOwnLabels) {
  const std::string list = path("data/zero_shot.txt"), labels = path("data/zero_shot_labels.csv");
  const auto planted = plant({3});
  const auto json =
      result_of("zero-shot", {"--labels", labels, "--list", list, "--labels", planted, "--list", list});
  ASSERT_EQ(json.at("splits").size(), 2u);
  EXPECT_EQ(json.at("splits").at(0).at("trained").at("same").size(), 0u);
  EXPECT_EQ(json.at("splits").at(1).at("trained").at("same").size(), 1u);
  EXPECT_NEAR(
      json.at("top1_mean").get<double>(),
      (json.at("splits").at(0).at("top1").get<double>() + json.at("splits").at(1).at("top1").get<double>()) /
          2,
      1e-9);
  EXPECT_FALSE(json.contains("labels"));
  EXPECT_EQ(run("zero-shot", {"--labels", labels, "--labels", planted, "--list", list}).exit_code, 2);
}

TEST_F(Protocols, ZeroShotKeepsTheScoresOfEachList) {
  const std::string list = path("data/zero_shot.txt"), labels = path("data/zero_shot_labels.csv");
  for (const char* output : {"out", "again"}) {
    const auto scored =
        run("zero-shot", {"--labels", labels, "--list", list, "--list", list, "--output", path(output)});
    ASSERT_EQ(scored.exit_code, 0) << scored.errors;
  }
  const auto file = path("out/zero_shot-2.safetensors");
  const auto again =
      nlohmann::json::parse(run_program({"rescore", file, "--json"}).output).at("scores").at(0);
  const auto json = nlohmann::json::parse(read_text(folder_ / "out/zero_shot.json"));
  EXPECT_EQ(again.at("top1"), json.at("splits").at(1).at("top1"));
  EXPECT_EQ(again.at("origin").at("list"), list);
  EXPECT_EQ(again.at("origin").at("weights_sha256").get<std::string>().size(), 64u);
  const auto compared = run_program({"compare", path("out"), path("again")});
  EXPECT_THAT(compared.output, AllOf(HasSubstr("zero-shot, 2 split(s)"), HasSubstr("zero_shot.txt"),
                                     HasSubstr("+0.00"), Not(HasSubstr("cannot tell"))));
}

TEST_F(Protocols, AListThatCannotBeReadStopsZeroShotBeforeAnotherIsScored) {
  const std::string list = path("data/zero_shot.txt"), labels = path("data/zero_shot_labels.csv");
  const auto refused = run("zero-shot", {"--labels", labels, "--list", list, "--list", path("absent.txt")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("absent.txt"), Not(HasSubstr("text: "))));
  EXPECT_EQ(zero_shot(labels, {"--near-similarity", "nan"}).exit_code, 2);
}

TEST_F(Protocols, TextsAreEncodedOnceForAllCommands) {
  const auto cached = [&](const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--text-cache", path("texts")});
    return run(command, std::move(arguments));
  };
  const auto first = cached("evaluate", {"--json"});
  EXPECT_THAT(first.errors, Not(HasSubstr("encoded before")));
  const auto second = cached("evaluate", {"--json"});
  EXPECT_THAT(second.errors, HasSubstr("encoded before"));
  EXPECT_EQ(first.output, second.output);
  EXPECT_THAT(cached("zero-shot", {}).errors, HasSubstr("encoded before"));
  const auto video = path("data/videos/test/00000.mp4");
  const auto predicted = run_program(
      {"predict", "--weights", path("run/checkpoints/last"), "--text-cache", path("texts"), video});
  EXPECT_THAT(predicted.errors, HasSubstr("encoded before"));
  const auto without = run("evaluate", {"--json", "--text-cache", "none"});
  EXPECT_THAT(without.errors, Not(HasSubstr("encoded before")));
  EXPECT_EQ(nlohmann::json::parse(without.output).at("top1"), nlohmann::json::parse(first.output).at("top1"));
}

}  // namespace
}  // namespace actionclip
