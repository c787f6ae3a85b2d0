// What a few-shot run refuses before it writes anything, how it fits the batch, and how a signal stops it.

#include "actionclip/protocols/few_shot.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/video/image_file.h"

#include "tests/temporary_folder.h"
#include "tests/train/tiny_experiment.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr int kLabels = 5;
constexpr int kClips = 10;

// Raises SIGTERM when a text is logged, once.
class RaiseOnLog : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit RaiseOnLog(std::string text) : text_(std::move(text)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string payload(message.payload.data(), message.payload.size());
    if (raised_ || payload.find(text_) == std::string::npos) return;
    raised_ = true;
    std::raise(SIGTERM);
  }
  void flush_() override {}

 private:
  std::string text_;
  bool raised_ = false;
};

// Folders of one grey frame, and a model of one layer a part.
class FewShotRun : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string list, names;
    for (int i = 0; i < kClips; ++i) {
      const auto video = folder_ / fmt::format("video {}", i);
      std::filesystem::create_directory(video);
      const auto grey = static_cast<std::uint8_t>(20 * i);
      write_jpeg(video / "img_00001.jpg",
                 {.width = 24, .height = 24, .rgb = std::vector<std::uint8_t>(3 * 24 * 24, grey)}, 95);
      list += fmt::format("video {} 1 {}\n", i, i % kLabels);
    }
    for (int label = 0; label < kLabels; ++label) names += fmt::format("label {}\n", label);
    folder_.write("list.txt", list);
    folder_.write("labels.txt", names);
  }

  Experiment experiment() const {
    Experiment result = tiny_experiment(folder_.path());
    result.data.test = result.data.train;
    result.train.epochs = 1;
    result.train.batch_size = kClips;
    return result;
  }

  FewShotOptions options() const { return {.shots = {1}, .seeds = {1, 2}, .output = folder_ / "few"}; }
  std::filesystem::path run(std::int64_t shots, std::int64_t seed) const {
    return options().output / fmt::format("shots-{}-seed-{}", shots, seed);
  }

  // Of a call that must write nothing.
  std::string error_of(const Experiment& experiment) const {
    std::string message = "no error";
    std::vector<FewShotResult> results;
    try {
      run_few_shot(experiment, options(), results);
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(options().output));
    return message;
  }

  const TemporaryFolder folder_;
};

TEST_F(FewShotRun, SettingsWithoutLabelsAreRefusedByTheirKey) {
  auto broken = experiment();
  broken.train.task = TrainTask::pretrain;
  EXPECT_THAT(error_of(broken), HasSubstr("train.task"));
  broken = experiment();
  broken.data.train.format = ListFormat::captions;
  EXPECT_THAT(error_of(broken), HasSubstr("data.train.format"));
  broken = experiment();
  broken.data.test.format = ListFormat::captions;
  EXPECT_THAT(error_of(broken), HasSubstr("data.test.format"));
}

TEST_F(FewShotRun, ListsOfSeveralLabelsAVideoAreRefused) {
  const auto table = folder_.write("many.csv", "path,label,frames\nvideo 0,0,1\nvideo 1,0;1,1\n");
  for (const auto split : {&DataConfig::train, &DataConfig::test}) {
    auto broken = experiment();
    (broken.data.*split).list.path = table;
    (broken.data.*split).format = ListFormat::table;
    EXPECT_THAT(error_of(broken), HasSubstr("many.csv:3: a video of 2 labels, but few-shot"));
  }
}

TEST_F(FewShotRun, WhatTheScoreNeedsIsCheckedBeforeTheFirstRun) {
  auto broken = experiment();
  broken.eval.group_by = {"motion"};
  EXPECT_THAT(error_of(broken), HasSubstr("motion"));
  broken = experiment();
  broken.eval.pair_by = "reversed";
  EXPECT_THAT(error_of(broken), HasSubstr("reversed"));
  broken = experiment();
  broken.data.test.list.path = folder_.write("test.txt", "video 0 1 99\n");
  EXPECT_THAT(error_of(broken), HasSubstr("test.txt:1"));
}

TEST_F(FewShotRun, ABatchOfMoreClipsThanChosenTakesThemAllInPartsOfNoFewer) {
  struct Case {
    std::int64_t batch_size, parts, expected_parts;
  };
  auto settings = experiment();
  auto protocol = options();
  protocol.shots = {2};  // all clips
  protocol.seeds = {1};
  for (const auto& [batch_size, parts, expected_parts] :
       {Case{16, 4, 2}, Case{32, 16, 5}, Case{32, 2, 1}, Case{12, 3, 2}, Case{256, 1, 1}, Case{10, 5, 5}}) {
    SCOPED_TRACE(fmt::format("batch_size={} accumulate_steps={}", batch_size, parts));
    settings.train.batch_size = batch_size;
    settings.train.accumulate_steps = parts;
    std::vector<FewShotResult> results;
    ASSERT_EQ(run_few_shot(settings, protocol, results), TrainOutcome::finished);
    const auto written = load_experiment(run(2, 1) / "config.yaml", {});
    EXPECT_EQ(written.train.batch_size, kClips);
    EXPECT_EQ(written.train.accumulate_steps, expected_parts);
    EXPECT_THAT(read_text(run(2, 1) / "metrics.jsonl"), HasSubstr("\"step\":1,")) << "no step";
  }
}

// kClips videos in 2 clips each, and, mixed, in whole pairs of them.
TEST_F(FewShotRun, ABatchThatIsMadeSmallerHoldsTheClipsOfWholeVideosAndPairs) {
  auto settings = experiment();
  auto protocol = options();
  protocol.shots = {2};  // all clips
  protocol.seeds = {1};
  settings.train.batch_size = 256;
  settings.train.accumulate_steps = 64;
  settings.data.sampling.repeats = 2;
  for (const bool mixed : {false, true}) {
    settings.train.mix.mixup_alpha = mixed ? 0.8 : 0;
    std::vector<FewShotResult> results;
    ASSERT_EQ(run_few_shot(settings, protocol, results), TrainOutcome::finished);
    const auto written = load_experiment(run(2, 1) / "config.yaml", {}).train;
    const std::int64_t block = mixed ? 4 : 2;
    EXPECT_EQ(written.batch_size, 2 * kClips / block * block);
    EXPECT_EQ(written.batch_size / written.accumulate_steps % block, 0);
    EXPECT_GT(written.accumulate_steps, 1);
  }
}

TEST_F(FewShotRun, ASmallBatchIsLeftAsItIs) {
  auto settings = experiment();
  settings.train.batch_size = 4;
  settings.train.accumulate_steps = 2;
  std::vector<FewShotResult> results;
  ASSERT_EQ(run_few_shot(settings, options(), results), TrainOutcome::finished);
  const auto written = load_experiment(run(1, 1) / "config.yaml", {});
  EXPECT_EQ(written.train.batch_size, 4);
  EXPECT_EQ(written.train.accumulate_steps, 2);
}

TEST_F(FewShotRun, ASignalWhileARunIsScoredKeepsTheScoreAndTheNextCallGoesOn) {
  auto settings = experiment();
  settings.data.max_failed_share = 0.5;  // the score logs the video that is not there
  settings.data.test.list.path = folder_.write("test.txt", read_text(folder_ / "list.txt") + "absent 1 0\n");
  const auto sink = std::make_shared<RaiseOnLog>("counted as wrong");
  auto& sinks = spdlog::default_logger()->sinks();
  sinks.push_back(sink);
  std::vector<FewShotResult> results;
  EXPECT_EQ(run_few_shot(settings, options(), results), TrainOutcome::stopped_by_signal);
  sinks.erase(std::find(sinks.begin(), sinks.end(), sink));
  ASSERT_TRUE(std::filesystem::exists(run(1, 1) / "result.json"));
  EXPECT_FALSE(std::filesystem::exists(run(1, 2)));
  const auto scored = std::filesystem::last_write_time(run(1, 1) / "result.json");

  results.clear();
  EXPECT_EQ(run_few_shot(settings, options(), results), TrainOutcome::finished);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].top1.size(), 2u);
  EXPECT_EQ(std::filesystem::last_write_time(run(1, 1) / "result.json"), scored);
}

TEST_F(FewShotRun, ARequestThatIsThereAlreadyStopsItBeforeTheFirstRun) {
  const StopSignal outer;
  std::raise(SIGTERM);
  std::vector<FewShotResult> results;
  EXPECT_EQ(run_few_shot(experiment(), options(), results), TrainOutcome::stopped_by_signal);
  EXPECT_FALSE(std::filesystem::exists(run(1, 1)));
}

}  // namespace
}  // namespace actionclip
