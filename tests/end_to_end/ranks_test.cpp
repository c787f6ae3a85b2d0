// Several ranks as processes: `actionclip train --nproc`, with what happens to processes in real life.

#include "tests/end_to_end/ranks.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of `run`, with the variables in the environment.
ProgramResult with_variables(const std::map<std::string, std::string>& variables,
                             const std::function<ProgramResult()>& run) {
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  auto result = run();
  for (const auto& [name, value] : variables) unsetenv(name.c_str());
  return result;
}

TEST_F(RanksAsProcesses, TrainAsOneDoesAndGoOnInAnotherNumber) {
  ASSERT_EQ(train("one", 1).exit_code, 0);
  const auto two = train("two", 2, {"train.max_steps=8"});
  ASSERT_EQ(two.exit_code, 0) << two.errors;
  const auto four = train("two", 4, {"--resume"});
  ASSERT_EQ(four.exit_code, 0) << four.errors;
  const auto expected = losses("one"), actual = losses("two");
  ASSERT_EQ(actual.size(), expected.size()) << "one line a step, whatever the number of ranks";
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-4) << i;
}

TEST_F(RanksAsProcesses, ValidateTogether) {
  const std::vector<std::string> validated = {"data.val.list=" + (folder_ / "data/val.txt").string(),
                                              "train.epochs=1", "train.max_steps=0", "eval.every_epochs=1",
                                              "train.schedule.warmup_epochs=0"};
  ASSERT_EQ(train("one", 1, validated).exit_code, 0);
  const auto four = train("four", 4, validated);
  ASSERT_EQ(four.exit_code, 0) << four.errors;
  const auto last = [&](const std::string& run) {
    return nlohmann::json::parse(lines_of(read_text(folder_ / (run + "/metrics.jsonl"))).back());
  };
  for (const char* key : {"split", "samples", "failed"}) EXPECT_EQ(last("four").at(key), last("one").at(key));
}

TEST_F(RanksAsProcesses, TorchrunSharesAnEvaluationAmongTheRanks) {
  ASSERT_EQ(train("run", 1, {"train.max_steps=1"}).exit_code, 0);
  const std::vector<std::string> evaluation = {
      "evaluate", "--config", folder_ / "config.yaml", "--weights", folder_ / "run/checkpoints/last",
      "--json"};
  const auto alone = run_program(evaluation);
  ASSERT_EQ(alone.exit_code, 0) << alone.errors;
  const auto command = fmt::format(
      "'{}' -m torch.distributed.run --standalone --no-python --nproc-per-node 3 '{}' '{}' > '{}' 2> '{}'",
      test_python(), tested_program(), fmt::join(evaluation, "' '"), (folder_ / "together.json").string(),
      (folder_ / "errors").string());
  ASSERT_EQ(std::system(command.c_str()), 0) << read_text(folder_ / "errors");
  const auto expected = nlohmann::json::parse(alone.output);
  const auto together = nlohmann::json::parse(read_text(folder_ / "together.json"));
  for (const char* key : {"top1", "top5", "samples", "failed"})
    EXPECT_EQ(together.at(key), expected.at(key)) << key;
  EXPECT_NEAR(together.at("loss").get<double>(), expected.at("loss").get<double>(), 1e-5);
}

TEST_F(RanksAsProcesses, RanksThatDoNotEvaluateTheSameSaySo) {
  ASSERT_EQ(train("run", 1, {"train.max_steps=1"}).exit_code, 0);
  const auto lines = lines_of(read_text(folder_ / "data/test.txt"));
  write_text(folder_ / "data/short-1.txt", lines.at(0) + "\n");
  write_text(folder_ / "data/short-0.txt", read_text(folder_ / "data/test.txt"));
  const auto command = fmt::format(
      "'{}' -m torch.distributed.run --standalone --no-python --nproc-per-node 2 sh -c "
      "'exec \"{}\" evaluate --config \"{}\" --weights \"{}\" \"data.test.list={}/short-$RANK.txt\"' "
      "> '{}' 2>&1",
      test_python(), tested_program(), (folder_ / "config.yaml").string(),
      (folder_ / "run/checkpoints/last").string(), (folder_ / "data").string(),
      (folder_ / "output").string());
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_THAT(read_text(folder_ / "output"),
              AllOf(HasSubstr("the ranks differ from rank 0: another configuration on rank 1; another list "
                              "of videos on rank 1"),
                    Not(HasSubstr("set of weights"))));
}

TEST_F(RanksAsProcesses, ARankThatIsKilledEndsTheRunAndTheResumedRunEqualsTheStraightOne) {
  ASSERT_EQ(train("straight", 2).exit_code, 0);
  const auto start = std::chrono::steady_clock::now();
  const auto killed =
      train("killed", 2, {"train.checkpoint_every=1", "train.max_steps=12"}, 10, [](pid_t launcher) {
        const auto ranks = ranks_of(launcher);
        ASSERT_EQ(ranks.size(), 2u);
        kill(ranks[1], SIGKILL);
      });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(killed.exit_code, 1);
  EXPECT_THAT(killed.errors, HasSubstr("rank 1 was killed by signal 9"));
  const auto resumed = train("killed", 2, {"--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(losses("killed"), losses("straight"));
}

// Of two ranks, any order of a sum is the same.
TEST_F(RanksAsProcesses, FourThatAreResumedRoundAsFourThatWentStraightOn) {
  ASSERT_EQ(train("straight", 4).exit_code, 0);
  ASSERT_EQ(train("resumed", 4, {"train.max_steps=6"}).exit_code, 0);
  const auto resumed = train("resumed", 4, {"--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(losses("resumed"), losses("straight"));
}

TEST_F(RanksAsProcesses, ARankThatStandsStillIsNamedWithinTheTimeOut) {
  pid_t stopped = 0;
  const auto result =
      train("run", 3, {"distributed.collective_timeout=3", "train.batch_size=12"}, 2, [&](pid_t launcher) {
        const auto ranks = ranks_of(launcher);
        ASSERT_EQ(ranks.size(), 3u);
        stopped = ranks[2];
        kill(stopped, SIGSTOP);
      });
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("no longer answering: rank 2")) << result.errors;
  EXPECT_NE(kill(stopped, 0), 0) << "no process is left behind";
}

TEST_F(RanksAsProcesses, ASignalSavesOnceAndLosesNoStep) {
  ASSERT_EQ(train("straight", 2).exit_code, 0);
  const auto stopped = train("stopped", 2, {}, 3, [](pid_t launcher) { kill(launcher, SIGTERM); });
  ASSERT_EQ(stopped.exit_code, 75) << stopped.errors;
  ASSERT_EQ(train("stopped", 2, {"--resume"}).exit_code, 0);
  EXPECT_EQ(losses("stopped"), losses("straight"));
}

TEST_F(RanksAsProcesses, ASignalToOneRankStopsAll) {
  const auto stopped = train("stopped", 2, {}, 3, [](pid_t launcher) {
    const auto ranks = ranks_of(launcher);
    ASSERT_EQ(ranks.size(), 2u);
    kill(ranks[1], SIGUSR1);
  });
  EXPECT_EQ(stopped.exit_code, 75) << stopped.errors;
}

TEST_F(RanksAsProcesses, SignalsWhileTheRunEndsDoNotKillIt) {
  const auto result = train("run", 2, {}, 12, [](pid_t launcher) {
    for (int i = 0; i < 300; ++i) {
      kill(launcher, SIGTERM);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_THAT(result.exit_code, AnyOf(0, 75)) << result.errors;
}

TEST_F(RanksAsProcesses, AnErrorOfTheSettingsIsToldByItsRank) {
  const auto result = train("run", 2, {"train.batch_size=15"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("15"), HasSubstr("rank"), HasSubstr("train.batch_size")));
}

TEST_F(RanksAsProcesses, WhatWouldFailOnEveryRankIsToldOnce) {
  const auto unknown = train("run", 2, {"train.batchsize=16"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_EQ(lines_of(unknown.errors).size(), 1u) << unknown.errors;
  const auto no_gpu = run_program({"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run",
                                   "--device", "cuda:77", "--nproc", "2"});
  EXPECT_EQ(no_gpu.exit_code, 1);
  EXPECT_THAT(no_gpu.errors, HasSubstr("cuda:77"));
  EXPECT_EQ(lines_of(no_gpu.errors).size(), 1u) << no_gpu.errors;
  const auto no_file = train("run", 2, {"data.train.list=none.txt"});
  EXPECT_NE(no_file.exit_code, 0);
  EXPECT_EQ(lines_of(no_file.errors).size(), 1u) << no_file.errors;
}

TEST_F(RanksAsProcesses, NprocInAStepOfOneTaskStartsTheRanks) {
  const auto result = with_variables({{"SLURM_PROCID", "0"},
                                      {"SLURM_STEP_NUM_TASKS", "1"},
                                      {"SLURM_LOCALID", "0"},
                                      {"SLURM_STEP_NODELIST", "localhost"},
                                      {"SLURM_JOB_ID", "7"}},
                                     [this] { return train("run", 2, {"train.max_steps=1"}); });
  EXPECT_EQ(result.exit_code, 0) << result.errors;
}

TEST(Nproc, UnderALauncherIsAUsageError) {
  const auto result =
      with_variables({{"RANK", "0"},
                      {"WORLD_SIZE", "2"},
                      {"LOCAL_RANK", "0"},
                      {"MASTER_ADDR", "127.0.0.1"},
                      {"MASTER_PORT", "29500"}},
                     [] {
                       return run_program({"train", "--config", "a", "--output", "b", "--nproc", "2"});
                     });
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--nproc"));
}

}  // namespace
}  // namespace actionclip
