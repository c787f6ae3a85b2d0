// What a few-shot run refuses before it writes anything, how it fits the batch, which epoch counts, and how a
// signal stops it.

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
#include <nlohmann/json.hpp>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/video/manifest.h"

#include "tests/protocols/shot_data.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kClips = kShotClips;

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

class FewShotRun : public ::testing::Test {
 protected:
  void SetUp() override { write_shot_data(folder_); }

  Experiment experiment() const { return shot_experiment(folder_); }

  ShotOptions options() const { return {.shots = {1}, .seeds = {1, 2}, .output = folder_ / "few"}; }
  std::filesystem::path run(std::int64_t shots, std::int64_t seed) const {
    return options().output / fmt::format("shots-{}-seed-{}", shots, seed);
  }

  // Of a call that must write nothing.
  std::string error_of(const Experiment& experiment) const { return error_of(experiment, options()); }
  std::string error_of(const Experiment& experiment, const ShotOptions& protocol) const {
    std::string message = "no error";
    FewShotReport report;
    try {
      run_few_shot(experiment, protocol, report);
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
  broken.data.test.list.path = folder_.write("wrong.txt", "test 0 1 99\n");
  EXPECT_THAT(error_of(broken), HasSubstr("wrong.txt:1"));
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
    FewShotReport report;
    ASSERT_EQ(run_few_shot(settings, protocol, report), TrainOutcome::finished);
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
    FewShotReport report;
    ASSERT_EQ(run_few_shot(settings, protocol, report), TrainOutcome::finished);
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
  FewShotReport report;
  ASSERT_EQ(run_few_shot(settings, options(), report), TrainOutcome::finished);
  const auto written = load_experiment(run(1, 1) / "config.yaml", {});
  EXPECT_EQ(written.train.batch_size, 4);
  EXPECT_EQ(written.train.accumulate_steps, 2);
}

TEST_F(FewShotRun, AClipThatIsInTheTestListTooStopsItByName) {
  auto leaking = experiment();
  auto protocol = options();
  protocol.shots = {1, 2};  // all clips
  leaking.data.test.list.path = folder_.write("leak.txt", read_text(folder_ / "test.txt") + "video 7 1 2\n");
  const auto leak = AllOf(HasSubstr("1 of the test videos of"), HasSubstr("video 7"), HasSubstr("list.txt:8"),
                          HasSubstr("leak.txt:6"));
  EXPECT_THAT(error_of(leaking, protocol), AllOf(leak, HasSubstr("same path")));

  std::filesystem::create_directory_symlink(folder_ / "video 7", folder_ / "renamed");
  folder_.write("leak.txt", read_text(folder_ / "test.txt") + "renamed 1 2\n");
  EXPECT_THAT(error_of(leaking, protocol), AllOf(leak, HasSubstr("renamed"), HasSubstr("same file")));
}

TEST_F(FewShotRun, AClipWhoseContentIsInTheTestListIsFoundByTheManifests) {
  std::vector<VideoFacts> videos(2);
  videos[0].path = (folder_ / "video 7").string();
  videos[1].path = (folder_ / "test 2").string();
  for (auto& video : videos) video.sha256 = std::string(64, 'a');
  auto protocol = options();
  protocol.shots = {2};
  protocol.manifests = {folder_.write("manifest.csv", manifest_text(videos))};
  EXPECT_THAT(error_of(experiment(), protocol),
              AllOf(HasSubstr("video 7"), HasSubstr("test 2"), HasSubstr("same content")));
}

TEST_F(FewShotRun, ALeakIntoAnotherTestListIsFoundTooAndOneOfClipsThatAreNotChosenIsNone) {
  auto protocol = options();
  protocol.shots = {2};
  protocol.against = {folder_.write("split2.txt", "video 1 1 1\n")};
  EXPECT_THAT(error_of(experiment(), protocol), HasSubstr("split2.txt:1"));

  // Of one clip a class and one seed, one of videos 1 and 6 is chosen.
  protocol.shots = {1};
  protocol.seeds = {1};
  int refused = 0;
  for (const char* video : {"video 1", "video 6"}) {
    protocol.against = {folder_.write("split2.txt", fmt::format("{} 1 1\n", video))};
    FewShotReport report;
    try {
      run_few_shot(experiment(), protocol, report);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, 1);
}

TEST_F(FewShotRun, AVideoThatTheListNamesTwiceIsNotInTheDevPartOfItsOwnTraining) {
  auto twice = experiment();
  std::string lines;
  for (int label = 0; label < kShotLabels; ++label)
    lines += fmt::format("video {0} 1 {0}\nvideo {0} 1 {0}\n", label);
  twice.data.train.list.path = folder_.write("twice.txt", lines);
  auto protocol = options();
  protocol.dev = 1;
  EXPECT_THAT(error_of(twice, protocol),
              AllOf(HasSubstr("5 of the clips of the dev part of seed 1"), HasSubstr("chosen by seed 1")));
}

TEST_F(FewShotRun, TheDevPartPicksTheEpochWhoseWeightsAreScored) {
  auto settings = experiment();
  settings.train.epochs = 3;
  settings.eval.every_epochs = 0;  // each epoch then
  auto protocol = options();
  protocol.dev = 1;
  FewShotReport report;
  ASSERT_EQ(run_few_shot(settings, protocol, report), TrainOutcome::finished);
  ASSERT_EQ(report.rows.at(0).epochs.size(), 2u);
  for (const std::int64_t seed : {1, 2}) {
    const auto folder = run(1, seed);
    const auto state = nlohmann::json::parse(read_text(folder / "checkpoints/best/state.json"));
    const auto result = nlohmann::json::parse(read_text(folder / "result.json"));
    EXPECT_EQ(result.at("epoch"), state.at("epoch"));
    EXPECT_EQ(report.rows[0].epochs.at(static_cast<std::size_t>(seed - 1)), state.at("epoch"));
    EXPECT_EQ(load_experiment(folder / "config.yaml", {}).data.val.list.path.filename(), "dev.csv");
    EXPECT_THAT(read_text(folder / "metrics.jsonl"), HasSubstr("\"split\":\"val\",\"step\":3"));
    const auto train = read_text(folder / "train.csv"), dev = read_text(folder / "dev.csv");
    EXPECT_EQ(std::ranges::count(dev, '\n'), 1 + kShotLabels);
    for (int i = 0; i < kClips; ++i) {
      const auto name = fmt::format("video {},", i);
      EXPECT_NE(train.find(name) == std::string::npos, dev.find(name) == std::string::npos) << name;
    }
  }
  const auto json = to_json(report);
  EXPECT_EQ(json.at("rows").at(0).at("epochs").size(), 2u);
  EXPECT_THAT(to_table(report), HasSubstr("epochs "));
}

TEST_F(FewShotRun, ARunWithoutADevPartIsNotTakenForOneWithIt) {
  FewShotReport report;
  auto protocol = options();
  protocol.seeds = {1};
  ASSERT_EQ(run_few_shot(experiment(), protocol, report), TrainOutcome::finished);
  EXPECT_TRUE(report.rows.at(0).epochs.empty());
  EXPECT_FALSE(std::filesystem::exists(run(1, 1) / "dev.csv"));
  protocol.dev = 1;
  ASSERT_EQ(run_few_shot(experiment(), protocol, report), TrainOutcome::finished);
  EXPECT_TRUE(std::filesystem::exists(run(1, 1) / "dev.csv"));
  EXPECT_TRUE(std::filesystem::exists(options().output / "shots-1-seed-1.before-1"));
}

TEST_F(FewShotRun, ADevPartThatIsNeverScoredIsAnError) {
  auto settings = experiment();
  settings.train.batch_size = 2;
  settings.train.max_steps = 1;  // no epoch ends
  auto protocol = options();
  protocol.dev = 1;
  FewShotReport report;
  EXPECT_THROW(run_few_shot(settings, protocol, report), Error);
}

TEST_F(FewShotRun, SeveralSeedsHaveAnIntervalAndAPicture) {
  FewShotReport report;
  auto protocol = options();
  protocol.shots = {0, 1};
  ASSERT_EQ(run_few_shot(experiment(), protocol, report), TrainOutcome::finished);
  const auto json = nlohmann::json::parse(read_text(protocol.output / "few_shot.json")).at("rows");
  EXPECT_TRUE(json.at(0).at("interval95").is_null()) << "one score alone";
  const double low = json.at(1).at("interval95").at(0), high = json.at(1).at("interval95").at(1);
  EXPECT_NEAR((low + high) / 2, json.at(1).at("mean"), 1e-9);
  EXPECT_NEAR(high - low, 2 * report.rows[1].margin.value(), 1e-9);
  EXPECT_THAT(to_table(report), HasSubstr("± 95 %"));
  EXPECT_THAT(read_text(protocol.output / "few_shot.svg"), HasSubstr("<svg"));
}

TEST_F(FewShotRun, ASignalWhileARunIsScoredKeepsTheScoreAndTheNextCallGoesOn) {
  auto settings = experiment();
  settings.data.max_failed_share = 0.5;  // the score logs the video that is not there
  settings.data.test.list.path = folder_.write("more.txt", read_text(folder_ / "test.txt") + "absent 1 0\n");
  const auto sink = std::make_shared<RaiseOnLog>("counted as wrong");
  auto& sinks = spdlog::default_logger()->sinks();
  sinks.push_back(sink);
  FewShotReport report;
  EXPECT_EQ(run_few_shot(settings, options(), report), TrainOutcome::stopped_by_signal);
  sinks.erase(std::find(sinks.begin(), sinks.end(), sink));
  ASSERT_TRUE(std::filesystem::exists(run(1, 1) / "result.json"));
  EXPECT_FALSE(std::filesystem::exists(run(1, 2)));
  const auto scored = std::filesystem::last_write_time(run(1, 1) / "result.json");

  report = {};
  EXPECT_EQ(run_few_shot(settings, options(), report), TrainOutcome::finished);
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0].top1.size(), 2u);
  EXPECT_EQ(std::filesystem::last_write_time(run(1, 1) / "result.json"), scored);
}

TEST_F(FewShotRun, ARequestThatIsThereAlreadyStopsItBeforeTheFirstRun) {
  const StopSignal outer;
  std::raise(SIGTERM);
  FewShotReport report;
  EXPECT_EQ(run_few_shot(experiment(), options(), report), TrainOutcome::stopped_by_signal);
  EXPECT_FALSE(std::filesystem::exists(run(1, 1)));
}

}  // namespace
}  // namespace actionclip
