#include "actionclip/train/bottleneck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The verdict on a run of many steps that are all alike.
Bottleneck::Verdict verdict_of(const StepTimes& step, const RunSetup& setup = {.workers = 2, .prefetch = 2}) {
  Bottleneck bottleneck(setup);
  for (int i = 0; i < 30; ++i) bottleneck.add(step);
  const auto verdict = bottleneck.verdict();
  EXPECT_TRUE(verdict.has_value());
  return verdict.value_or(Bottleneck::Verdict());
}

TEST(Bottleneck, DecodingThatIdleCoresCouldDoAsksForWorkers) {
  const auto verdict = verdict_of(
      {.whole = 1, .waiting = 0.43, .cpu = 3.6, .load = {.read = 0.1, .decode = 1.6, .transform = 0.2}},
      {.workers = 2, .prefetch = 2, .cores = 8});
  EXPECT_EQ(verdict.limited_by, "decoding");
  EXPECT_EQ(
      verdict.sentence,
      "decoding limited the run: it waited 43 % of the time for clips; raise data.num_workers from 2 (4 "
      "cores are idle), or if the videos are larger, scale them down to a short side of 256 pixels (as "
      "frames, with "
      "`actionclip dataset extract`)");
  EXPECT_NEAR(verdict.waiting, 0.43, 1e-12);
  EXPECT_EQ(verdict.communication, 0);
}

TEST(Bottleneck, DecodingOnAMachineThatIsBusyAsksForSmallerVideos) {
  const StepTimes step{.whole = 1, .waiting = 0.3, .cpu = 1.9, .load = {.decode = 1.9}};
  const auto verdict = verdict_of(step, {.workers = 2, .cores = 2});
  EXPECT_EQ(verdict.limited_by, "decoding");
  EXPECT_THAT(verdict.sentence,
              AllOf(HasSubstr("no core is idle, so if the videos are larger, scale them down"),
                    Not(HasSubstr("num_workers"))));
}

TEST(Bottleneck, FramesAreNotToBeExtractedFromFrameFolders) {
  const StepTimes step{.whole = 1, .waiting = 0.3, .cpu = 1.9, .load = {.decode = 1.9}};
  const auto verdict = verdict_of(step, {.workers = 2, .cores = 2, .frame_folders = true});
  EXPECT_THAT(verdict.sentence, AllOf(HasSubstr("if the frames are larger"), Not(HasSubstr("extract"))));
}

TEST(Bottleneck, TheOtherRanksOfTheMachineUseItsCoresToo) {
  const StepTimes step{.whole = 1, .waiting = 0.3, .cpu = 3, .load = {.decode = 1.9}};
  EXPECT_THAT(verdict_of(step, {.workers = 2, .cores = 8, .machine_ranks = 2}).sentence,
              HasSubstr("(2 cores are idle)"));
  EXPECT_THAT(verdict_of(step, {.workers = 2, .cores = 7, .machine_ranks = 2}).sentence,
              HasSubstr("(1 core is idle)"));
  EXPECT_THAT(verdict_of(step, {.workers = 2, .cores = 8, .machine_ranks = 4}).sentence,
              HasSubstr("no core is idle"));
}

TEST(Bottleneck, WithoutWorkersTheTrainingThreadDecodesAndTheyAreAskedFor) {
  const auto verdict = verdict_of({.whole = 1, .waiting = 0.4, .cpu = 1, .load = {.decode = 0.38}},
                                  {.workers = 0, .cores = 2});
  EXPECT_EQ(verdict.limited_by, "decoding");
  EXPECT_THAT(verdict.sentence, HasSubstr("raise data.num_workers from 0 (1 core is idle)"));
}

TEST(Bottleneck, TransformsAreNamed) {
  const auto verdict =
      verdict_of({.whole = 2, .waiting = 1, .cpu = 4, .load = {.read = 0.1, .decode = 1, .transform = 2.5}},
                 {.workers = 2, .cores = 4});
  EXPECT_EQ(verdict.limited_by, "transforming");
  EXPECT_THAT(verdict.sentence,
              AllOf(HasSubstr("50 %"), HasSubstr("2 cores are idle"), HasSubstr("data.transforms")));
}

TEST(Bottleneck, ReadingAsksForAnotherDisk) {
  const auto verdict =
      verdict_of({.whole = 1, .waiting = 0.6, .cpu = 0.5, .load = {.read = 1.5, .decode = 0.3}});
  EXPECT_EQ(verdict.limited_by, "reading");
  EXPECT_THAT(verdict.sentence, AllOf(HasSubstr("disk"), HasSubstr("data.num_workers from 2")));
}

TEST(Bottleneck, WorkersThatStandStillAskForBatchesAhead) {
  const auto verdict = verdict_of({.whole = 1, .waiting = 0.2, .cpu = 1, .load = {.decode = 0.8}},
                                  {.workers = 4, .prefetch = 3, .cores = 8});
  EXPECT_EQ(verdict.limited_by, "prefetching");
  EXPECT_THAT(verdict.sentence, AllOf(HasSubstr("stood still for 80 %"), HasSubstr("data.prefetch from 3")));
}

TEST(Bottleneck, CommunicationIsNamedWhereItIsTheLargerWait) {
  const StepTimes step{.whole = 1, .waiting = 0.12, .communication = 0.3, .load = {.decode = 1.9}};
  const auto verdict = verdict_of(step);
  EXPECT_EQ(verdict.limited_by, "communication");
  EXPECT_THAT(verdict.sentence, AllOf(HasSubstr("30 %"), HasSubstr("train.batch_size")));
}

TEST(Bottleneck, ComputingIsTheLimitWhereNothingIsWaitedFor) {
  const StepTimes step{.whole = 1, .waiting = 0.04, .communication = 0.05};
  const auto verdict = verdict_of(step);
  EXPECT_EQ(verdict.limited_by, "computing");
  EXPECT_THAT(verdict.sentence, AllOf(HasSubstr("91 %"), HasSubstr("train.precision: bf16")));
  EXPECT_THAT(verdict_of(step, {.full_precision = false}).sentence, Not(HasSubstr("precision")));
}

TEST(Bottleneck, AShortRunSaysNothingAndTheFirstStepDoesNotCount) {
  Bottleneck bottleneck({.workers = 2});
  bottleneck.add({.whole = 1000, .waiting = 1000, .load = {.decode = 2000}});
  for (int i = 2; i <= Bottleneck::kLeastSteps; ++i) {
    EXPECT_FALSE(bottleneck.verdict().has_value()) << i;
    bottleneck.add({.whole = 1});
  }
  EXPECT_EQ(bottleneck.verdict().value().limited_by, "computing");
}

TEST(Bottleneck, ClocksThatDisagreeLeaveSharesWithinTheWhole) {
  const auto verdict = verdict_of({.whole = 1, .waiting = 0.9, .communication = 0.4, .load = {.decode = 2}});
  EXPECT_NEAR(verdict.waiting + verdict.communication, 1, 1e-12);
  EXPECT_EQ(verdict.to_json().at("limited_by"), "decoding");
  EXPECT_EQ(verdict.to_json().at("advice"), verdict.sentence);
}

}  // namespace
}  // namespace actionclip
