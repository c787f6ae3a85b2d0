#include "actionclip/protocols/compare.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
  EXPECT_EQ(validated.videos_per_second, 110.5);
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
  EXPECT_THAT(differences[1].unknown, HasSubstr("a and without hold no scores"));
  EXPECT_THAT(differences[9].unknown, HasSubstr("different lists"));
}

nlohmann::ordered_json shots_of(std::vector<double> one, std::vector<double> four, const char* list) {
  return {
      {"list_sha256", list},
      {"seeds", {1, 2, 3}},
      {"rows", {{{"shots", 1}, {"top1", one}, {"mean", 1}}, {{"shots", 4}, {"top1", four}, {"mean", 2}}}}};
}

TEST(Compare, PairsFewShotRunsBySeed) {
  RunRecord first{.folder = "a"}, second{.folder = "b"};
  first.few_shot = shots_of({40, 50, 60}, {70, 71, 72}, "same");
  second.few_shot = shots_of({62, 41, 53}, {75, 76, 77}, "same");
  second.few_shot["seeds"] = {3, 1, 2};  // 41 - 40, 53 - 50, 62 - 60: 2 on average, deviation 1
  second.few_shot["rows"].push_back({{"shots", 8}, {"top1", {1, 2, 3}}});
  const auto differences = differences_of({first, second});
  ASSERT_EQ(differences.size(), 2U) << "8 clips are in one of them alone";
  EXPECT_EQ(differences[0].scored, "few-shot, 1 clips a class");
  const auto& one = differences[0].figures.at(0);
  EXPECT_EQ(one.name, "top1");
  EXPECT_NEAR(one.percent, 2, 1e-12);
  EXPECT_NEAR(one.interval.high - 2, 4.302653 / std::sqrt(3), 1e-6) << "Student's t of two degrees";
  EXPECT_FALSE(is_more_than_chance(one));
  EXPECT_TRUE(is_more_than_chance(differences[1].figures.at(0))) << "76 - 70, 77 - 71, 75 - 72";

  second.few_shot["list_sha256"] = "other";
  EXPECT_THAT(differences_of({first, second})[0].unknown, HasSubstr("test lists"));
  second.few_shot = shots_of({1, 2, 3}, {1, 2, 3}, "same");
  second.few_shot["seeds"] = {3, 8, 9};
  EXPECT_THAT(differences_of({first, second})[0].unknown, HasSubstr("fewer than two seeds"));
  EXPECT_EQ(summarize(first).source, "few-shot, 4 clips a class");
  EXPECT_EQ(summarize(first).top1, 2);
}

TEST(Compare, PairsBaseToNovelRunsBySeed) {
  const auto run = [](const char* name, double more) {
    RunRecord record{.folder = name};
    const auto score = [&](double value) {
      return nlohmann::ordered_json{{"values", {value, value + 1 + more, value + 2}}, {"mean", value + 1}};
    };
    record.base_to_novel = {
        {"list_sha256", "same"},
        {"base_labels", {"a", "b"}},
        {"seeds", {1, 2, 3}},
        {"rows",
         {{{"shots", 16}, {"base", score(70 + more)}, {"novel", score(50)}, {"harmonic", score(58)}}}}};
    return record;
  };
  const auto differences = differences_of({run("a", 0), run("b", 3)});
  ASSERT_EQ(differences.size(), 1U);
  ASSERT_EQ(differences[0].figures.size(), 3U);
  EXPECT_EQ(differences[0].figures[0].name, "base");
  EXPECT_NEAR(differences[0].figures[0].percent, 4, 1e-12);
  EXPECT_NEAR(differences[0].figures[1].percent, 1, 1e-12);
  EXPECT_EQ(summarize(run("a", 0)).top1, 59);
  auto other = run("c", 0);
  other.base_to_novel["base_labels"] = {"a", "c"};
  EXPECT_THAT(differences_of({run("a", 0), other})[0].unknown, HasSubstr("base and novel classes"));
}

TEST(Compare, TakesZeroShotSplitsOneByOne) {
  const TemporaryFolder folder;
  folder.write("zero_shot.json",
               R"({"top1_mean": 40.5, "top5_mean": 70, "splits": [{"list": "a"}, {"list": "b"}]})");
  for (std::size_t i = 0; i < 3; ++i) {  // the third is an earlier call's
    auto scores = made_scores(400, i == 0 ? 200 : 280);
    scores.origin["list"] = i == 0 ? "one.txt" : "two.txt";
    save_scores(scores, folder / zero_shot_scores_name(i));
  }
  auto first = read_run(folder.path());
  ASSERT_EQ(first.zero_shot_scores.size(), 2U);
  EXPECT_EQ(summarize(first).source, "zero-shot, 2 split(s)");
  EXPECT_EQ(summarize(first).top1, 40.5);
  auto second = first;
  second.zero_shot_scores[0] = made_scores(400, 280);
  first.zero_shot_scores[0].origin["list_sha256"] = second.zero_shot_scores[0].origin["list_sha256"] = "1";
  first.zero_shot_scores[1].origin["list_sha256"] = second.zero_shot_scores[1].origin["list_sha256"] = "2";
  const auto differences = differences_of({first, second});
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].scored, "zero-shot, one.txt");
  EXPECT_TRUE(is_more_than_chance(differences[0].figures.front()));
  EXPECT_EQ(differences[1].figures.front().percent, 0);

  second.zero_shot_scores.erase(second.zero_shot_scores.begin());
  const auto of_the_second = differences_of({first, second});
  ASSERT_EQ(of_the_second.size(), 1U) << "by the list, not by its place";
  EXPECT_EQ(of_the_second[0].scored, "zero-shot, two.txt");
}

TEST(Compare, SurvivesResultsThatHoldSomethingElse) {
  RunRecord run{.folder = "a"};
  run.few_shot = {{"seeds", 3}, {"rows", {1, "x", {{"shots", 2}, {"top1", "none"}}}}};
  run.base_to_novel = {{"rows", 3}};
  run.zero_shot = {{"splits", "none"}};
  EXPECT_EQ(differences_of({run, run}).size(), 1U);
  EXPECT_EQ(summarize(run).source, "zero-shot, 0 split(s)");
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
