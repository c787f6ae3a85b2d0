// `few-shot`: which runs of an earlier call count, and which are started anew; a signal; clips that are in
// the test list too; the dev part.

#include <algorithm>
#include <filesystem>
#include <map>

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

using Tensors = std::map<std::string, at::Tensor>;

bool same(const Tensors& a, const Tensors& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           return at::equal(entry.second, b.at(entry.first));
         });
}

class FewShot : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    train("start", {});
  }

  void train(const std::string& run, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"train", "--config", folder_ / "config.yaml", "--output",
                                         folder_ / run, "train.max_steps=1"});
    const auto result = run_program(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  // One clip a class, one seed; every option that takes a list is followed by an override.
  ProgramResult call(std::vector<std::string> overrides, int stop_after = 0) {
    overrides.insert(
        overrides.begin(),
        {"few-shot", "--config", folder_ / "config.yaml", "--weights", folder_ / "start/checkpoints/last",
         "--output", folder_ / "few", "--shots", "1", "train.epochs=1", "--seeds", "1",
         "train.schedule.warmup_epochs=0", "model.init.image=weights", "model.init.text=weights",
         "data.labels=" + (folder_ / "data/few_shot_labels.csv").string(),
         "data.train.list=" + (folder_ / "data/few_shot_train.txt").string(),
         "data.test.list=" + (folder_ / "data/few_shot_test.txt").string()});
    return run_program(overrides, run(), stop_after);
  }

  void few_shot(const std::vector<std::string>& overrides = {}) {
    const auto result = call(overrides);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  Tensors model() { return read_tensors(run() / "checkpoints/last/model.safetensors"); }
  std::string metrics() { return read_text(run() / "metrics.jsonl"); }
  auto score_written() { return std::filesystem::last_write_time(run() / "result.json"); }
  std::filesystem::path run() { return folder_ / "few/shots-1-seed-1"; }

  TemporaryFolder folder_;
};

TEST_F(FewShot, AMissingTestVideoIsCountedInTheResults) {
  write_text(folder_ / "gone.txt", read_text(folder_ / "data/few_shot_test.txt") + "gone.mp4 0\n");
  const auto result =
      call({"--json", "data.max_failed_share=0.5", "data.test.list=" + (folder_ / "gone.txt").string(),
            "data.test.root=" + (folder_ / "data").string()});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(nlohmann::json::parse(result.output).at("rows").at(0).at("failed").at(0), 1);
  EXPECT_EQ(nlohmann::json::parse(read_text(run() / "result.json")).at("failed"), 1);
}

TEST_F(FewShot, TheTestListIsMatchedWithItsProtocolBeforeAnythingIsTrained) {
  const auto refused = call({"--protocol", "ucf101:test9"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few"));
  const auto other = call({"--protocol", "ucf101_few_shot", "--json"});
  ASSERT_EQ(other.exit_code, 0) << other.errors;
  EXPECT_THAT(other.errors, HasSubstr("the list is ANOTHER ONE"));
  const auto protocol = nlohmann::json::parse(other.output).at("protocol");
  EXPECT_EQ(protocol.at("name"), "ucf101_few_shot:test1");
  EXPECT_EQ(protocol.at("matches"), false);
  EXPECT_EQ(protocol, nlohmann::json::parse(read_text(folder_ / "few/few_shot.json")).at("protocol"));

  ASSERT_EQ(call({"--record", folder_ / "own.yaml"}).exit_code, 0);
  EXPECT_THAT(call({"--protocol", folder_ / "own.yaml"}).output, HasSubstr("the list matches"));
}

TEST_F(FewShot, AFinishedRunIsReusedAndAStoppedOneGoneOnWith) {
  few_shot();
  const auto first_metrics = metrics();
  const auto first_score = score_written();
  few_shot();
  EXPECT_EQ(score_written(), first_score);
  std::filesystem::remove(run() / "result.json");
  few_shot();
  EXPECT_EQ(metrics(), first_metrics) << "trained again";
  EXPECT_TRUE(std::filesystem::exists(run() / "result.json"));
}

TEST_F(FewShot, ARunOfOtherSettingsIsNeitherReportedNorResumed) {
  few_shot();
  const auto first = model();
  few_shot({"train.lr=1.0e-2"});
  const auto second = model();
  EXPECT_FALSE(same(first, second)) << "finished run";
  std::filesystem::remove(run() / "result.json");
  few_shot();
  EXPECT_TRUE(same(model(), first)) << "stopped run";
}

TEST_F(FewShot, ARunFromWeightsOfTheSameNameButOtherContentIsStartedAnew) {
  few_shot();
  const auto first = model();
  train("other", {"seed=8"});
  std::filesystem::remove_all(folder_ / "start");
  std::filesystem::rename(folder_ / "other", folder_ / "start");
  few_shot();
  EXPECT_FALSE(same(model(), first));
}

TEST_F(FewShot, AScoreOnAnotherTestListIsComputedAnew) {
  few_shot();
  const auto first = score_written();
  const auto list = folder_ / "data/few_shot_test.txt";
  const auto text = read_text(list);
  write_text(list, text.substr(text.find('\n') + 1));
  few_shot();
  EXPECT_NE(score_written(), first);
}

TEST_F(FewShot, SettingsThatChangeNoScoreKeepAFinishedRun) {
  few_shot();
  const auto first = score_written();
  few_shot({"data.num_workers=2", "data.prefetch=3", "train.keep_checkpoints=4", "train.checkpoint_every=2"});
  EXPECT_EQ(score_written(), first);
  few_shot({"seed=9", "eval.every_epochs=1", "data.val.index_bias=0"});  // a run replaces these
  EXPECT_EQ(score_written(), first);
}

TEST_F(FewShot, OneCheckpointIsKeptUnlessTheExperimentSaysOtherwise) {
  const auto kept = [&] {
    std::ptrdiff_t steps = 0;
    for (const auto& entry : std::filesystem::directory_iterator(run() / "checkpoints"))
      steps += entry.path().filename().string().starts_with("step-") ? 1 : 0;
    return steps;
  };
  few_shot({"train.epochs=3"});
  EXPECT_EQ(kept(), 1);
  std::filesystem::remove_all(run());
  few_shot({"train.epochs=3", "train.keep_checkpoints=3"});
  EXPECT_EQ(kept(), 3);
}

TEST_F(FewShot, ARunUnderWayIsNeitherPutAsideNorJoined) {
  few_shot();
  std::filesystem::remove(run() / "result.json");
  const auto first = metrics();
  const FolderLock other(run());
  for (const char* setting : {"train.lr=1.0e-2", "data.prefetch=2"}) {
    const auto refused = call({setting});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, testing::HasSubstr("is in use by process")) << setting;
  }
  EXPECT_EQ(metrics(), first);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few/shots-1-seed-1.before-1"));
}

TEST_F(FewShot, WhatAKilledCallLeftOfItsIdentityIsNoForeignFile) {
  std::filesystem::create_directories(run());
  write_text(run() / "identity.json.tmp.999999999", "{");
  few_shot();
  EXPECT_FALSE(std::filesystem::exists(run() / "identity.json.tmp.999999999"));
}

TEST_F(FewShot, WhatIsInTheWayIsPutAsideIfARunMadeItAndElseRefused) {
  few_shot();
  const auto first = model();
  few_shot({"train.lr=1.0e-2"});
  EXPECT_TRUE(
      same(read_tensors(folder_ / "few/shots-1-seed-1.before-1/checkpoints/last/model.safetensors"), first));
  std::filesystem::remove_all(run());
  std::filesystem::create_directory(run());
  write_text(run() / "thesis.txt", "years of work");
  const auto refused = call({});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, testing::HasSubstr("is no folder of a few-shot run"));
  EXPECT_EQ(read_text(run() / "thesis.txt"), "years of work");
}

TEST_F(FewShot, TooFewClipsForTheLargestKAreFoundBeforeTheFirstRun) {
  const auto result = call({"--shots", "1000"});  // beside 1
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, testing::HasSubstr("1000 shots need as many"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few"));
}

TEST_F(FewShot, ACopyOfATrainingClipInTheTestListIsFoundByManifestsOfVerify) {
  const auto videos = folder_ / "data/videos";
  std::filesystem::copy_file(videos / "few_shot_train/00000.mp4", videos / "few_shot_test/copy.mp4");
  const auto list = folder_ / "data/few_shot_test.txt";
  write_text(list, read_text(list) + "videos/few_shot_test/copy.mp4 0\n");
  std::vector<std::string> all_clips = {"--shots", "3"};  // beside 1
  for (const char* part : {"few_shot_train", "few_shot_test"}) {
    const auto output = folder_ / (std::string("checked_") + part);
    ASSERT_EQ(run_program({"dataset", "verify", videos / part, "--output", output}).exit_code, 0);
    all_clips.insert(all_clips.end(), {"--manifest", output / "manifest.csv"});
  }
  const auto refused = call(all_clips);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors,
              testing::AllOf(testing::HasSubstr("few_shot_train/00000.mp4"), testing::HasSubstr("copy.mp4"),
                             testing::HasSubstr("same content")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few")) << "before anything is written";
}

TEST_F(FewShot, WhatIsScoredOfADevPartIsTheCheckpointThatItCallsBest) {
  few_shot({"--dev", "1", "train.epochs=3", "train.lr=1.0e-2"});
  const auto evaluated = run_program({"evaluate", "--json", "--config", folder_ / "config.yaml", "--weights",
                                      run() / "checkpoints/best",
                                      "data.labels=" + (folder_ / "data/few_shot_labels.csv").string(),
                                      "data.test.list=" + (folder_ / "data/few_shot_test.txt").string()});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  const auto result = nlohmann::json::parse(read_text(run() / "result.json"));
  EXPECT_EQ(result.at("top1"), nlohmann::json::parse(evaluated.output).at("top1"));
  EXPECT_GE(result.at("epoch"), 1);
  const auto first = score_written();
  few_shot({"--dev", "1", "train.epochs=3", "train.lr=1.0e-2"});
  EXPECT_EQ(score_written(), first) << "re-used";
}

TEST_F(FewShot, ADevPartThatLeavesTooFewClipsIsFoundBeforeTheFirstRun) {
  const auto result = call({"--dev", "3"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, testing::HasSubstr("1 shots and 3 for the dev part need 4"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few"));
}

TEST_F(FewShot, ANumberGivenTwiceIsAUsageError) {
  EXPECT_EQ(call({"--seeds", "1"}).exit_code, 2);
  EXPECT_EQ(call({"--shots", "2,2"}).exit_code, 2);
}

TEST_F(FewShot, TheHelpShowsTheDefaultAsItIsTyped) {
  const auto help = run_program({"few-shot", "--help"}).output;
  EXPECT_THAT(help, testing::HasSubstr("1,2,4,8,16"));
}

TEST_F(FewShot, AfterASignalTheSameCommandGoesOn) {
  const std::vector<std::string> more_runs = {"--seeds", "2,3,4,5"};
  const auto stopped = call(more_runs, /*stop_after=*/1);
  EXPECT_EQ(stopped.exit_code, 75) << stopped.errors;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "few/few_shot.json"));
  few_shot(more_runs);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "few/few_shot.json"));
}

}  // namespace
}  // namespace actionclip
