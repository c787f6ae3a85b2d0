#include "actionclip/protocols/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/protocols/made_run.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string message_of(const std::filesystem::path& folder) {
  try {
    read_run(folder);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

TEST(RunRecord, HoldsTheCurvesOfARunAndItsLastValidation) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", made_metrics(20));
  const auto run = read_run(folder.path());
  const auto& loss = run.curves.at("train/loss");
  ASSERT_EQ(loss.steps.size(), 20U);
  EXPECT_EQ(loss.steps.back(), 20);
  EXPECT_DOUBLE_EQ(loss.values.back(), 0.2);
  EXPECT_THAT(run.curves.at("val/top1").values, ElementsAre(51, 52));
  EXPECT_EQ(run.last_validation.at("epoch"), 2);
  EXPECT_THAT(run.problems, IsEmpty());
}

TEST(RunRecord, LeavesOutFiguresThatAreNotKnown) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", "{\"split\":\"train\",\"step\":1,\"loss\":null,\"lr\":0.1}\n");
  const auto run = read_run(folder.path());
  EXPECT_FALSE(run.curves.contains("train/loss"));
  EXPECT_TRUE(run.curves.contains("train/lr"));
}

TEST(RunRecord, NamesWhatCannotBeReadAndKeepsTheRest) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", made_metrics(3) + "{\"split\":\"train\",\"st");
  folder.write("evaluation.json", "{");
  folder.write("confusion.csv", "label,a,b\na,1,x\n");
  folder.write("scores.safetensors", "none");
  const auto run = read_run(folder.path());
  EXPECT_EQ(run.curves.at("train/loss").steps.size(), 3U);
  EXPECT_TRUE(run.evaluation.is_null());
  EXPECT_FALSE(run.confusion);
  EXPECT_FALSE(run.scores);
  EXPECT_THAT(
      run.problems,
      ElementsAre(HasSubstr("metrics.jsonl: 1 of its lines"), HasSubstr("evaluation.json"),
                  HasSubstr("confusion.csv: line 2: 'x' is no count"), HasSubstr("scores.safetensors")));
}

TEST(RunRecord, HoldsTheCellsOfTheConfusionMatrixThatAreNotEmpty) {
  const TemporaryFolder folder;
  make_evaluation(folder, {"plain", "with, comma", "with \"\"quotes\"\""});
  const auto run = read_run(folder.path());
  ASSERT_TRUE(run.confusion);
  EXPECT_THAT(run.confusion->labels, ElementsAre("plain", "with, comma", "with \"quotes\""));
  EXPECT_EQ(run.confusion->cells.size(), 6U);
}

TEST(RunRecord, KeepsTheNewestWarningsOfTheLog) {
  const TemporaryFolder folder;
  std::string log = "2026-11-27 07:12:56.822 I finetune: 16 samples\n";
  for (int i = 0; i < 150; ++i) log += fmt::format("2026-11-27 07:12:56.822 W warning {}\n", i);
  folder.write("train.log", log + "2026-11-27 08:00:00.000 I done\n");
  folder.write("config.yaml", "seed: 1\n");
  const auto run = read_run(folder.path());
  EXPECT_EQ(run.log_note_count, 150);
  ASSERT_EQ(run.log_notes.size(), RunRecord::kMaxLogNotes);
  EXPECT_THAT(run.log_notes.back(), HasSubstr("warning 149"));
  EXPECT_THAT(run.log_first, HasSubstr("16 samples"));
  EXPECT_THAT(run.log_last, HasSubstr("done"));
}

TEST(RunRecord, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of(folder / "none"), HasSubstr("no such folder"));
  folder.write("a/readme.txt", "");
  EXPECT_THAT(message_of(folder / "a"), HasSubstr("holds nothing of a run"));
}

TEST(RunRecord, IsCalledAsItsFolder) {
  const TemporaryFolder folder;
  folder.write("first/config.yaml", "seed: 1\n");
  EXPECT_EQ(run_name(read_run(folder / "first")), "first");
  EXPECT_EQ(run_name(read_run(folder / "first/")), "first");
  EXPECT_EQ(run_name(read_run(folder / "first/../first/.")), "first");
}

}  // namespace
}  // namespace actionclip
