#include "actionclip/protocols/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocols/made_run.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

RunRecord run_with_scores(const std::string& name, int videos, int right) {
  RunRecord run{.folder = name};
  run.scores = made_scores(videos, right);
  return run;
}

TEST(Compare, SummarizesARun) {
  const TemporaryFolder folder;
  folder.write("config.yaml",
               "model: {arch: ViT-B/16, frames: 16, init: {image: random, text: random}}\ntrain: {epochs: "
               "30, lr: 5.0e-6}\n");
  folder.write("metrics.jsonl", made_metrics(20));
  const auto validated = summarize(read_run(folder.path()));
  EXPECT_EQ(validated.arch, "ViT-B/16");
  EXPECT_EQ(validated.frames, 16);
  EXPECT_EQ(validated.epochs, 30);
  EXPECT_DOUBLE_EQ(validated.lr.value(), 5e-6);
  EXPECT_EQ(validated.source, "validation of epoch 2");
  EXPECT_EQ(validated.top1, 52);
  EXPECT_EQ(validated.videos_per_second, 111);
  EXPECT_FALSE(validated.interval);

  make_evaluation(folder, made_labels(3));
  const auto evaluated = summarize(read_run(folder.path()));
  EXPECT_EQ(evaluated.source, "evaluation.json");
  EXPECT_EQ(evaluated.top1, 50);
  ASSERT_TRUE(evaluated.interval);
  EXPECT_EQ(evaluated.interval->low, 45.25);
}

TEST(Compare, TellsABigDifferenceFromChance) {
  const std::vector<RunRecord> runs = {run_with_scores("a", 400, 200), run_with_scores("b", 400, 280)};
  const auto differences = differences_of(runs);
  ASSERT_EQ(differences.size(), 1U);
  ASSERT_EQ(differences[0].unknown, "");
  const auto& top1 = differences[0].figures.front();
  EXPECT_EQ(top1.name, "top1");
  EXPECT_NEAR(top1.percent, 20, 1e-9);
  EXPECT_LT(top1.interval.low, 20);
  EXPECT_GT(top1.interval.high, 20);
  EXPECT_TRUE(is_more_than_chance(top1));
}

TEST(Compare, TellsThatOneVideoMoreIsNoDifference) {
  const auto differences = differences_of({run_with_scores("a", 400, 200), run_with_scores("b", 400, 201)});
  ASSERT_EQ(differences[0].unknown, "");
  EXPECT_FALSE(is_more_than_chance(differences[0].figures.front()));
}

TEST(Compare, SaysWhyItCannotTell) {
  auto other_list = run_with_scores("c", 400, 200);
  other_list.scores->origin["list_sha256"] = "1";
  auto this_list = run_with_scores("d", 400, 200);
  this_list.scores->origin["list_sha256"] = "2";
  const auto differences = differences_of({run_with_scores("a", 400, 200), run_with_scores("b", 300, 200),
                                           RunRecord{.folder = "without"}, other_list, this_list});
  ASSERT_EQ(differences.size(), 10U);
  EXPECT_NE(differences[0].unknown, "") << "other videos";
  EXPECT_THAT(differences[1].unknown, HasSubstr("without holds no scores"));
  EXPECT_THAT(differences[9].unknown, HasSubstr("different lists"));
}

TEST(Compare, GivesAllAsJson) {
  const std::vector<RunRecord> runs = {run_with_scores("a", 40, 20), run_with_scores("b", 40, 40),
                                       RunRecord{.folder = "c"}};
  std::vector<RunSummary> summaries;
  for (const auto& run : runs) summaries.push_back(summarize(run));
  const auto json = to_json(summaries, differences_of(runs));
  ASSERT_EQ(json.at("runs").size(), 3U);
  EXPECT_EQ(json.at("runs").at(0).at("run"), "a");
  EXPECT_TRUE(json.at("runs").at(0).at("top1").is_null());
  const auto& differences = json.at("differences");
  EXPECT_EQ(differences.at(0).at("figures").at(0).at("more_than_chance"), true);
  EXPECT_EQ(differences.at(0).at("figures").at(0).at("interval").size(), 2U);
  EXPECT_TRUE(differences.at(1).contains("unknown"));
}

}  // namespace
}  // namespace actionclip
