// Whole runs of the program: stages that continue each other, resuming bit for bit, logs, evaluation.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/folder_lock.h"

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Training : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  ProgramResult train(const std::string& run, std::vector<std::string> arguments, int stop_after = 0) {
    arguments.insert(arguments.begin(),
                     {"train", "--config", folder_ / "config.yaml", "--output", folder_ / run});
    return run_program(arguments, folder_.path() / run, stop_after);
  }

  nlohmann::json evaluate(const std::string& weights, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"evaluate", "--config", folder_ / "config.yaml", "--weights",
                                         folder_ / weights, "--json"});
    const auto result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output);
  }

  std::map<std::string, at::Tensor> tensors(const std::string& file) { return read_tensors(folder_ / file); }

  void expect_same_tensors(const std::string& a, const std::string& b) {
    const auto left = tensors(a), right = tensors(b);
    ASSERT_EQ(left.size(), right.size());
    for (const auto& [name, tensor] : left) EXPECT_TRUE(at::equal(tensor, right.at(name))) << name;
  }

  // Losses by step of a run's log.
  std::vector<double> losses(const std::string& run) {
    std::vector<double> result;
    for (const auto& line : lines_of(read_text(folder_ / (run + "/metrics.jsonl")))) {
      const auto record = nlohmann::json::parse(line);
      if (record.at("split") == "train") result.push_back(record.at("loss").get<double>());
    }
    return result;
  }

  TemporaryFolder folder_;
};

TEST_F(Training, TwentyStepsEqualTenAndResumeAndTenBitForBit) {
  ASSERT_EQ(train("straight", {"train.max_steps=20"}).exit_code, 0);
  ASSERT_EQ(train("parted", {"train.max_steps=10"}).exit_code, 0);
  ASSERT_EQ(train("parted", {"train.max_steps=20", "--resume"}).exit_code, 0);
  EXPECT_EQ(losses("straight").size(), 20u);
  const auto last = nlohmann::json::parse(lines_of(read_text(folder_ / "straight/metrics.jsonl")).back());
  EXPECT_EQ(last.at("split"), "summary");
  EXPECT_THAT(read_text(folder_ / "straight/train.log"), HasSubstr(last.at("advice").get<std::string>()));
  EXPECT_EQ(losses("straight"), losses("parted"));
  expect_same_tensors("straight/checkpoints/last/model.safetensors",
                      "parted/checkpoints/last/model.safetensors");
  expect_same_tensors("straight/checkpoints/last/optimizer.safetensors",
                      "parted/checkpoints/last/optimizer.safetensors");
}

TEST_F(Training, ASignalSavesAtTheStepAndTheResumedRunEqualsTheStraightOne) {
  ASSERT_EQ(train("straight", {"train.max_steps=24"}).exit_code, 0);
  const auto stopped = train("stopped", {"train.max_steps=24"}, /*stop_after=*/3);
  ASSERT_EQ(stopped.exit_code, 75) << stopped.errors;
  ASSERT_EQ(train("stopped", {"train.max_steps=24", "--resume"}).exit_code, 0);
  EXPECT_EQ(losses("straight"), losses("stopped"));
  expect_same_tensors("straight/checkpoints/last/model.safetensors",
                      "stopped/checkpoints/last/model.safetensors");
}

TEST_F(Training, GoingOnFromAnEarlierCheckpointStaysOnThatBranch) {
  const std::vector<std::string> settings = {"train.epochs=2", "train.keep_checkpoints=10",
                                             "eval.every_epochs=2"};
  const auto validation = folder_ / "run/evaluation.json";
  const auto validated_step = [&] { return nlohmann::json::parse(read_text(validation)).at("step"); };
  ASSERT_EQ(train("run", settings).exit_code, 0);
  EXPECT_EQ(validated_step(), 18);
  const auto straight = losses("run");
  ASSERT_EQ(straight.size(), 18u);
  auto again = settings;
  again.insert(again.end(),
               {"--resume=" + (folder_ / "run/checkpoints/step-9").string(), "train.max_steps=12"});
  const auto returned = train("run", again);
  ASSERT_EQ(returned.exit_code, 0) << returned.errors;
  EXPECT_THAT(returned.errors, HasSubstr("abandoned-step-18"));
  EXPECT_FALSE(std::filesystem::exists(validation)) << "it is of a model that is no part of the run now";
  again = settings;
  again.emplace_back("--resume");
  ASSERT_EQ(train("run", again).exit_code, 0);
  EXPECT_EQ(losses("run"), straight) << "from step 12 on, without a gap";
  EXPECT_EQ(validated_step(), 18);
}

TEST_F(Training, CaptionsThatAreTooLongAreNamedBeforeTheFirstStep) {
  auto captions = lines_of(read_text(folder_ / "data/captions.csv"));
  const auto still = captions.at(1).substr(0, captions.at(1).find(','));
  std::string words = "red";
  for (int i = 0; i < 30; ++i) words += " square";
  captions.push_back(still + "," + words);
  write_text(folder_ / "data/long.csv", fmt::format("{}\n", fmt::join(captions, "\n")));
  const auto result = train("run", {"train.task=pretrain", "data.train.format=captions",
                                    "data.train.list=" + (folder_ / "data/long.csv").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors,
              HasSubstr(fmt::format("1 captions have more than the 24 tokens that the context holds, "
                                    "in line {};",
                                    captions.size())));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Training, GoingOnWithOtherSettingsIsToldAndTheFormerOnesAreKept) {
  ASSERT_EQ(train("run", {"train.max_steps=2"}).exit_code, 0);
  const auto before = read_text(folder_ / "run/config.yaml");
  const auto resumed = train("run", {"train.max_steps=3", "train.lr=0.002", "--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, HasSubstr("the run goes on with another train.lr: 0.001 -> 0.002"));
  EXPECT_EQ(read_text(folder_ / "run/config.before-1.yaml"), before);
}

TEST_F(Training, AFolderThatARunIsWritingIntoIsRefused) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  const FolderLock other(folder_ / "run");
  const auto result = train("run", {"train.max_steps=2", "--resume"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("is in use by process"));
  EXPECT_EQ(losses("run").size(), 1u);
}

TEST_F(Training, GoingOnWithAnotherListIsRefused) {
  ASSERT_EQ(train("run", {"train.max_steps=2"}).exit_code, 0);
  auto lines = lines_of(read_text(folder_ / "data/train.txt"));
  std::reverse(lines.begin(), lines.end());
  write_text(folder_ / "data/reversed.txt", fmt::format("{}\n", fmt::join(lines, "\n")));
  const auto result = train("run", {"train.max_steps=3", "--resume",
                                    "data.train.list=" + (folder_ / "data/reversed.txt").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("data.train (SHA-256 of the list)"));
}

TEST_F(Training, ARunThatFailsSaysWhyInItsLog) {
  const auto result =
      train("run", {"train.lr=1.0e+30", "train.schedule.warmup_epochs=0", "train.max_nonfinite=2"});
  EXPECT_EQ(result.exit_code, 1);
  const auto log = lines_of(read_text(folder_ / "run/train.log"));
  EXPECT_THAT(log.front(), HasSubstr("finetune: 152 samples, 9 steps an epoch"));
  EXPECT_THAT(log.back(), HasSubstr("2 steps in a row were not finite"));
}

TEST_F(Training, AFolderOfARunWithoutACheckpointYetIsRefusedToo) {
  std::filesystem::create_directory(folder_ / "run");
  const FolderLock other(folder_ / "run");
  const auto result = train("run", {"train.max_steps=1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("is in use by process"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/config.yaml"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/metrics.jsonl"));
}

TEST_F(Training, TheWordBehindResumeIsAnOverride) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  const auto resumed = train("run", {"--resume", "train.max_steps=2"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(losses("run").size(), 2u);
}

TEST_F(Training, ResumingNeedsNeitherTheStartWeightsNorTheTestList) {
  ASSERT_EQ(train("first", {"train.max_steps=1"}).exit_code, 0);
  const auto from_first = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"model.init.image=weights", "model.init.text=weights",
                                       "model.weights=" + (folder_ / "first/checkpoints/last").string()});
    return arguments;
  };
  ASSERT_EQ(train("second", from_first({"train.max_steps=1"})).exit_code, 0);
  std::filesystem::remove_all(folder_ / "first");
  std::filesystem::remove(folder_ / "data/test.txt");
  const auto resumed = train("second", from_first({"--resume", "train.max_steps=2"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(losses("second").size(), 2u);
  const auto fresh = train("third", from_first({"train.max_steps=2"}));
  EXPECT_EQ(fresh.exit_code, 2);
  EXPECT_THAT(fresh.errors, HasSubstr("model.weights: no such file"));
}

TEST_F(Training, WorkersDoNotChangeTheRun) {
  ASSERT_EQ(train("none", {"train.max_steps=6", "data.num_workers=0"}).exit_code, 0);
  ASSERT_EQ(train("four", {"train.max_steps=6", "data.num_workers=4"}).exit_code, 0);
  EXPECT_EQ(losses("none"), losses("four"));
}

TEST_F(Training, StagesContinueEachOther) {
  ASSERT_EQ(train("pretrain", {"train.task=pretrain", "train.max_steps=2",
                               "data.train.list=" + (folder_ / "data/captions.csv").string(),
                               "data.train.format=captions"})
                .exit_code,
            0);
  const std::vector<std::string> from_weights = {"model.init.image=weights", "model.init.text=weights"};
  auto prompt = from_weights;
  prompt.insert(prompt.end(), {"train.task=prompt", "train.max_steps=3",
                               "model.weights=" + (folder_ / "pretrain/checkpoints/last").string()});
  ASSERT_EQ(train("prompt", prompt).exit_code, 0);
  const auto before = tensors("pretrain/checkpoints/last/model.safetensors");
  const auto after = tensors("prompt/checkpoints/last/model.safetensors");
  for (const auto& [name, tensor] : before) {
    const bool fusion = name.rfind("fusion.", 0) == 0;
    EXPECT_TRUE(fusion || at::equal(tensor, after.at(name))) << "the towers are frozen: " << name;
  }
  EXPECT_FALSE(at::equal(before.at("fusion.transformer.resblocks.0.mlp.c_fc.weight"),
                         after.at("fusion.transformer.resblocks.0.mlp.c_fc.weight")));
  auto finetune = from_weights;
  finetune.insert(finetune.end(),
                  {"train.max_steps=3", "model.weights=" + (folder_ / "prompt/checkpoints/last").string()});
  ASSERT_EQ(train("finetune", finetune).exit_code, 0);
  EXPECT_FALSE(at::equal(after.at("visual.proj"),
                         tensors("finetune/checkpoints/last/model.safetensors").at("visual.proj")));
}

TEST_F(Training, ARunLeavesItsFiles) {
  ASSERT_EQ(train("run", {"train.epochs=2"}).exit_code, 0);
  for (const char* name : {"config.yaml", "train.log", "metrics.jsonl", "checkpoints/last/model.safetensors",
                           "checkpoints/best/state.json", "checkpoints/last/manifest.json",
                           "checkpoints/last/optimizer.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / "run" / name)) << name;
  }
  const auto first = nlohmann::json::parse(lines_of(read_text(folder_ / "run/metrics.jsonl"))[0]);
  for (const char* key : {"split", "step", "epoch", "loss", "lr", "videos_per_second", "data_wait_fraction",
                          "data", "grad_norm", "logit_scale"}) {
    EXPECT_TRUE(first.contains(key)) << key;
  }
  const auto again = run_program({"inspect", "config", folder_ / "run/config.yaml"});
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(again.output, read_text(folder_ / "run/config.yaml"));
}

TEST_F(Training, EvaluationScoresEveryVideoOnceWhateverTheBatchAndCountsFailuresAsWrong) {
  ASSERT_EQ(train("run", {"train.max_steps=2"}).exit_code, 0);
  const auto whole = evaluate("run/checkpoints/last", {"eval.batch_size=10"});
  for (const char* batch : {"1", "3", "7"}) {
    const auto parts = evaluate("run/checkpoints/last", {std::string("eval.batch_size=") + batch});
    EXPECT_EQ(parts.at("samples"), 10);
    EXPECT_EQ(parts.at("top1"), whole.at("top1"));
    EXPECT_EQ(parts.at("top5"), whole.at("top5"));
    EXPECT_NEAR(parts.at("loss").get<double>(), whole.at("loss").get<double>(), 1e-4);
  }
}

TEST_F(Training, AVideoThatCannotBeDecodedCountsAsWrong) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  // One label for all: every video that decodes is right.
  std::string list;
  for (int i = 0; i < 10; ++i) list += fmt::format("videos/test/{:05d}.mp4 0\n", i);
  const std::vector<std::string> one_label = {
      "data.labels=" + folder_.write("one_label.txt", "anything\n").string(),
      "data.test.list=" + folder_.write("data/one_label_test.txt", list).string(),
      "data.max_failed_share=0.5"};
  EXPECT_EQ(evaluate("run/checkpoints/last", one_label).at("top1"), 100.0);
  write_text(folder_ / "data/videos/test/00003.mp4", "broken");
  const auto failed = evaluate("run/checkpoints/last", one_label);
  EXPECT_EQ(failed.at("samples"), 10);
  EXPECT_EQ(failed.at("failed"), 1);
  EXPECT_EQ(failed.at("top1"), 90.0);
  EXPECT_EQ(failed.at("top5"), 90.0);
}

TEST_F(Training, AnEvaluationThatFailsLosesNoStepAndIsMadeUpForOnResuming) {
  const auto videos = folder_ / "data/videos/val";
  std::filesystem::rename(videos, folder_ / "kept");
  std::filesystem::create_directory(videos);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "kept")) {
    write_text(videos / entry.path().filename(), "broken");
  }
  const auto failed = train("run", {"train.epochs=2"});
  EXPECT_EQ(failed.exit_code, 1) << failed.errors;
  EXPECT_THAT(failed.errors, HasSubstr("max_failed_share"));
  EXPECT_EQ(losses("run").size(), 18u);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/checkpoints/step-18/state.json"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/checkpoints/best"));

  std::filesystem::remove_all(videos);
  std::filesystem::rename(folder_ / "kept", videos);
  for (int times = 0; times < 2; ++times) {
    const auto resumed = train("run", {"train.epochs=2", "--resume"});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/checkpoints/best/state.json"));
  EXPECT_EQ(losses("run").size(), 18u);
  const auto lines = lines_of(read_text(folder_ / "run/metrics.jsonl"));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return nlohmann::json::parse(line).at("split") == "val"; }),
            1)
      << "the second resumption has nothing left to evaluate";
}

TEST_F(Training, MultiViewEvaluationRuns) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  EXPECT_EQ(evaluate("run/checkpoints/last", {"eval.clips=2", "eval.crops=3"}).at("views"), 6);
}

TEST_F(Training, AccumulationTakesTheSameNumberOfVideosAStep) {
  ASSERT_EQ(train("run", {"train.max_steps=3", "train.accumulate_steps=4"}).exit_code, 0);
  EXPECT_EQ(losses("run").size(), 3u);
  ASSERT_EQ(train("bf16", {"train.max_steps=2", "train.precision=bf16", "train.clip_grad_norm=1.0",
                           "train.optimizer.kind=sgd"})
                .exit_code,
            0);
}

TEST_F(Training, ZeroShotAndFewShotRun) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  const auto zero_shot =
      run_program({"zero-shot", "--config", folder_ / "config.yaml", "--weights",
                   folder_ / "run/checkpoints/last", "--labels", folder_ / "data/zero_shot_labels.csv",
                   "--list", folder_ / "data/zero_shot.txt", "--json"});
  ASSERT_EQ(zero_shot.exit_code, 0) << zero_shot.errors;
  EXPECT_EQ(nlohmann::json::parse(zero_shot.output).at("labels"), 40);

  const auto few_shot = run_program(
      {"few-shot", "--config", folder_ / "config.yaml", "--weights", folder_ / "run/checkpoints/last",
       "--output", folder_ / "few", "--shots", "0,1,2", "--seeds", "1,2", "--json",
       "data.labels=" + (folder_ / "data/few_shot_labels.csv").string(),
       "data.train.list=" + (folder_ / "data/few_shot_train.txt").string(),
       "data.test.list=" + (folder_ / "data/few_shot_test.txt").string(), "train.epochs=1",
       "train.schedule.warmup_epochs=0", "model.init.image=weights", "model.init.text=weights"});
  ASSERT_EQ(few_shot.exit_code, 0) << few_shot.errors;
  const auto table = nlohmann::json::parse(few_shot.output).at("rows");
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[2].at("top1").size(), 2u);
  const auto chosen = [&](const char* run) {
    auto lines = lines_of(read_text(folder_ / (std::string("few/") + run + "/train.csv")));
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  const auto one = chosen("shots-1-seed-1"), two = chosen("shots-2-seed-1");
  EXPECT_EQ(one.size(), 11u) << "a header and the clips";
  EXPECT_EQ(two.size(), 21u);
  EXPECT_TRUE(std::includes(two.begin(), two.end(), one.begin(), one.end())) << "more shots add clips";
  EXPECT_NE(two, chosen("shots-2-seed-2"));
  EXPECT_THAT(read_text(folder_ / "few/shots-1-seed-1/train.log"), Not(HasSubstr("shots-2-seed-2")))
      << "a run's log is its own";
}

TEST_F(Training, DryRunWritesNothing) {
  const auto files = [&] {
    std::set<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      paths.insert(entry.path().string());
    return paths;
  };
  const auto before = files();
  const auto result = train("run", {"--dry-run"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace actionclip
