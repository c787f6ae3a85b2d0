// Base-to-novel: what is trained on, what each half is scored among, what is refused, and what is re-used.

#include "actionclip/protocols/base_to_novel.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "tests/protocols/shot_data.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(HarmonicMean, IsThatOfTwoAndZeroWhereOneIs) {
  EXPECT_DOUBLE_EQ(harmonic_mean(60, 30), 40);
  EXPECT_DOUBLE_EQ(harmonic_mean(50, 50), 50);
  EXPECT_EQ(harmonic_mean(80, 0), 0);
  EXPECT_EQ(harmonic_mean(0, 0), 0);
}

class BaseToNovelRun : public ::testing::Test {
 protected:
  void SetUp() override { write_shot_data(folder_); }

  Experiment experiment() const { return shot_experiment(folder_); }

  BaseToNovelOptions options() const {
    return {.runs = {.shots = {1}, .seeds = {1, 2}, .output = folder_ / "runs"},
            .base_labels = {},
            .novel_labels = {}};
  }

  static BaseToNovelResult finish(const Experiment& experiment, const BaseToNovelOptions& options) {
    BaseToNovelResult result;
    EXPECT_EQ(run_base_to_novel(experiment, options, result), TrainOutcome::finished);
    return result;
  }

  // Of a call that must write nothing.
  std::string error_of(const Experiment& experiment, const BaseToNovelOptions& options) const {
    std::string message = "no error";
    BaseToNovelResult result;
    try {
      run_base_to_novel(experiment, options, result);
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(options.runs.output));
    return message;
  }

  std::filesystem::path run(int seed) const { return folder_ / fmt::format("runs/shots-1-seed-{}", seed); }

  const TemporaryFolder folder_;
};

TEST_F(BaseToNovelRun, BaseClassesAloneAreTrainedOnAndBothHalvesAreScored) {
  const auto result = finish(experiment(), options());
  EXPECT_THAT(result.base_labels, ElementsAre("label 0", "label 1", "label 2"));
  EXPECT_THAT(result.novel_labels, ElementsAre("label 3", "label 4"));
  EXPECT_EQ(result.base_videos, 3);
  EXPECT_EQ(result.novel_videos, 2);
  for (const int seed : {1, 2}) {
    EXPECT_EQ(read_text(run(seed) / "labels.csv"), "id,name\n0,label 0\n1,label 1\n2,label 2\n");
    const auto trained = read_text(run(seed) / "train.csv");
    EXPECT_EQ(std::ranges::count(trained, '\n'), 1 + 3);
    for (const int novel : {3, 4, 8, 9})
      EXPECT_THAT(trained, Not(HasSubstr(fmt::format("video {},", novel))));
    EXPECT_EQ(load_experiment(run(seed) / "config.yaml", {}).data.labels.path, run(seed) / "labels.csv");
  }
  const auto& row = result.rows.at(0);
  ASSERT_EQ(row.base.values.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_DOUBLE_EQ(row.harmonic.values[i], harmonic_mean(row.base.values[i], row.novel.values[i]));
  EXPECT_DOUBLE_EQ(row.harmonic_of_means, harmonic_mean(row.base.mean, row.novel.mean));
  const auto json = nlohmann::json::parse(read_text(folder_ / "runs/base_to_novel.json"));
  EXPECT_EQ(json, nlohmann::json(to_json(result)));
  EXPECT_EQ(json.at("rows").at(0).at("novel").at("interval95").size(), 2u);
  EXPECT_THAT(read_text(folder_ / "runs/base_to_novel.svg"), AllOf(HasSubstr("<svg"), HasSubstr("harmonic")));
}

TEST_F(BaseToNovelRun, AHalfIsScoredAmongItsOwnLabels) {
  auto protocol = options();
  protocol.novel_labels = folder_.write("novel.txt", "label 2\n");
  const auto result = finish(experiment(), protocol);
  EXPECT_EQ(result.base_labels.size(), 4u);
  for (const double top1 : result.rows.at(0).novel.values) EXPECT_EQ(top1, 100) << "one label to choose from";
}

TEST_F(BaseToNovelRun, TheWeightsAsTheyAreAndADevPartAreScoredToo) {
  auto protocol = options();
  protocol.runs.shots = {0, 1};
  protocol.runs.dev = 1;
  const auto result = finish(experiment(), protocol);
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(result.rows[0].base.values.size(), 1u);
  EXPECT_TRUE(result.rows[0].epochs.empty());
  EXPECT_THAT(result.rows[1].epochs, ElementsAre(1, 1));
  EXPECT_EQ(std::ranges::count(read_text(run(1) / "dev.csv"), '\n'), 1 + 3);
  EXPECT_THAT(to_table(result), AllOf(HasSubstr("harmonic"), HasSubstr("epochs 1, 1")));
}

TEST_F(BaseToNovelRun, AFinishedRunIsReusedUnlessTheSplitIsAnother) {
  const auto first = finish(experiment(), options());
  const auto written = std::filesystem::last_write_time(run(1) / "result.json");
  const auto again = finish(experiment(), options());
  EXPECT_EQ(again.rows.at(0).novel.values, first.rows.at(0).novel.values);
  EXPECT_EQ(std::filesystem::last_write_time(run(1) / "result.json"), written);
  auto other = options();
  other.base_labels = folder_.write("base.txt", "label 3\nlabel 4\n");
  finish(experiment(), other);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "runs/shots-1-seed-1.before-1"));
}

TEST_F(BaseToNovelRun, AClipOfTheTestListStopsItByName) {
  auto leaking = experiment();
  leaking.data.test.list.path =
      folder_.write("leak.txt", read_text(folder_ / "test.txt") + "video 1 1 1\nvideo 6 1 1\n");
  EXPECT_THAT(error_of(leaking, options()), AllOf(HasSubstr("video "), HasSubstr("leak.txt")));
  // Videos of novel classes are not trained on.
  leaking.data.test.list.path = folder_.write("novel.txt", read_text(folder_ / "test.txt") + "video 3 1 3\n");
  EXPECT_EQ(finish(leaking, options()).novel_videos, 3);
}

TEST_F(BaseToNovelRun, WhatKnowsItsOwnLabelsAloneIsRefusedByItsKey) {
  auto broken = experiment();
  broken.model.classifier = true;
  EXPECT_THAT(error_of(broken, options()), HasSubstr("model.classifier"));
  broken = experiment();
  broken.model.context.length = 2;
  broken.model.context.class_specific = true;
  EXPECT_THAT(error_of(broken, options()), HasSubstr("model.context.class_specific"));
  broken = experiment();
  broken.train.task = TrainTask::pretrain;
  EXPECT_THAT(error_of(broken, options()), AllOf(HasSubstr("train.task"), HasSubstr("base-to-novel")));
}

TEST_F(BaseToNovelRun, AHalfWithoutATestVideoIsRefused) {
  auto broken = experiment();
  broken.data.test.list.path = folder_.write("half.txt", "test 0 1 0\ntest 1 1 1\n");
  EXPECT_THAT(error_of(broken, options()),
              AllOf(HasSubstr("half.txt"), HasSubstr("no video of a novel class")));
}

}  // namespace
}  // namespace actionclip
