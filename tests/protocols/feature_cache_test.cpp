// Features are encoded once, shard by shard, and give the scores of the full run.
#include "actionclip/protocols/feature_cache.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/encode_features.h"
#include "actionclip/protocols/ensemble_sweep.h"
#include "actionclip/video/loader.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/protocols/feature_case.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const TemplateSubset kAll = {"all", {0, 1, 2}};

CachedFeatures encode(const FeatureJob& job, const FeatureCase& made) {
  auto classifier = made.classifier();
  encode_features(classifier, job);
  return read_features(job.folder);
}

// The same numbers, NaN included.
void expect_same(const CachedFeatures& ours, const CachedFeatures& expected) {
  EXPECT_TRUE(at::allclose(ours.video_features, expected.video_features, 0, 0, /*equal_nan=*/true));
  EXPECT_TRUE(
      at::allclose(read_frame_features(ours), read_frame_features(expected), 0, 0, /*equal_nan=*/true));
  ASSERT_EQ(ours.videos.size(), expected.videos.size());
  for (std::size_t i = 0; i < ours.videos.size(); ++i) {
    EXPECT_EQ(ours.videos[i].path, expected.videos[i].path);
    EXPECT_EQ(ours.videos[i].label_ids, expected.videos[i].label_ids);
    EXPECT_EQ(ours.videos[i].failure, expected.videos[i].failure);
  }
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& problem) {
    return problem.what();
  }
  ADD_FAILURE() << "nothing is thrown";
  return "";
}

// What Classifier::classify() says of each video, in the batches of evaluate().
at::Tensor full_run(const FeatureCase& made, Ensemble ensemble) {
  auto classifier = made.classifier(ensemble);
  const ClipDataset videos(fake_list(FeatureCase::kVideos), FeatureCase::clips(), fake_frames(made.damaged));
  Loader loader(videos, {.batch_size = 2, .mode = SampleMode::test});
  loader.start_epoch(0);
  std::vector<at::Tensor> scores;
  while (const auto batch = loader.next()) scores.push_back(classifier.classify(batch->clips).probabilities);
  return at::cat(scores);
}

at::Tensor cached_run(const CachedFeatures& features, Ensemble ensemble) {
  const SubsetScorer scorer(features, {kAll});
  std::vector<at::Tensor> scores;
  for (std::int64_t begin = 0; begin < FeatureCase::kVideos; begin += 2)
    scores.push_back(scorer.score(begin, std::min(begin + 2, FeatureCase::kVideos), ensemble)[0]);
  return at::cat(scores);
}

TEST(FeatureCache, GivesTheScoresOfTheFullRunBitForBit) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto features = encode(made.job(folder / "cache"), made);
  const auto expected = full_run(made, Ensemble::mean_of_softmax);
  const auto scores = cached_run(features, Ensemble::mean_of_softmax);
  const auto means = cached_run(features, Ensemble::mean_embedding);
  const auto expected_means = full_run(made, Ensemble::mean_embedding);
  ASSERT_EQ(scores.sizes(), expected.sizes());
  for (std::int64_t i = 0; i < FeatureCase::kVideos; ++i) {
    if (made.damaged.contains(i)) {
      EXPECT_THAT(features.videos[i].failure, HasSubstr("damaged"));
      EXPECT_TRUE(features.video_features[i].isnan().all().item<bool>());
      continue;
    }
    EXPECT_EQ(features.videos[i].failure, "");
    EXPECT_TRUE(at::equal(scores[i], expected[i])) << i;
    EXPECT_LT((means[i] - expected_means[i]).abs().max().item<double>(), 1e-6) << i;
  }
}

TEST(FeatureCache, GivesTheFiguresOfEvaluate) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto features = encode(made.job(folder / "cache"), made);
  const auto rows = sweep_ensembles(features, {kAll}, {0, 1});
  const ClipDataset videos(fake_list(FeatureCase::kVideos), FeatureCase::clips(), fake_frames(made.damaged));
  DataConfig loading;
  loading.num_workers = 0;
  for (const auto ensemble : {Ensemble::mean_of_softmax, Ensemble::mean_embedding}) {
    auto classifier = made.classifier(ensemble);
    const auto report = evaluate(classifier, videos, LabelSet(FeatureCase::labels()),
                                 {.clips = 2, .batch_size = 4, .ensemble = ensemble}, loading);
    const auto& ours = rows[ensemble == Ensemble::mean_of_softmax ? 0 : 1].accuracy;
    EXPECT_EQ(ours.top1(), report.metrics.top1());
    EXPECT_EQ(ours.top5(), report.metrics.top5());
    EXPECT_EQ(ours.samples(), report.metrics.samples());
    EXPECT_EQ(ours.failed(), report.metrics.failed());
  }
}

TEST(FeatureCache, TheFusionHeadTakesTheFramesFeaturesToTheVideos) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto features = encode(made.job(folder / "cache"), made);
  const auto frames = read_frame_features(features);
  EXPECT_EQ(frames.sizes(), at::IntArrayRef({FeatureCase::kVideos, 2, 4, 64}));
  const at::NoGradGuard no_grad;
  auto model = made.model();
  model->eval();
  const auto fused = model->fusion->forward(frames[0]);
  EXPECT_TRUE(at::allclose(fused, features.video_features[0], 1e-5, 1e-6));
}

TEST(FeatureCache, HalfPrecisionTakesHalfTheRoomAndRounds) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto whole = encode(made.job(folder / "whole"), made);
  auto job = made.job(folder / "half");
  job.identity.half = true;
  const auto half = encode(job, made);
  EXPECT_EQ(half.video_features.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(half.video_features, whole.video_features, 1e-3, 1e-3, /*equal_nan=*/true));
  EXPECT_LT(std::filesystem::file_size(folder / "half/videos-00000.safetensors"),
            std::filesystem::file_size(folder / "whole/videos-00000.safetensors") * 6 / 10);
}

TEST(FeatureCache, ARunThatWasStoppedGoesOnBehindTheLastWholeShard) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto expected = encode(made.job(folder / "expected"), made);
  auto job = made.job(folder / "cache");
  const auto frames = fake_frames(made.damaged);
  job.fetch = [&](const VideoEntry& entry, const FrameChooser& choose) {
    if (entry.label_id() == 6) throw std::runtime_error("stopped");
    return frames(entry, choose);
  };
  EXPECT_THROW(encode(job, made), std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(folder / "cache/videos-00000.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder / "cache/videos-00001.safetensors"));
  EXPECT_THAT(message_of([&] { read_features(job.folder); }), HasSubstr("not all videos are encoded"));
  write_text(folder / "cache/videos-00001.safetensors.tmp.999999999", "half");  // as a kill leaves it
  std::set<std::int64_t> fetched;
  job.fetch = [&](const VideoEntry& entry, const FrameChooser& choose) {
    fetched.insert(entry.label_id());
    return frames(entry, choose);
  };
  expect_same(encode(job, made), expected);
  EXPECT_EQ(fetched, (std::set<std::int64_t>{4, 5, 6, 7, 8}));
  EXPECT_FALSE(std::filesystem::exists(folder / "cache/videos-00001.safetensors.tmp.999999999"));
}

TEST(FeatureCache, RanksShareTheShards) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto expected = encode(made.job(folder / "expected"), made);
  for (const int world_size : {2, 4}) {
    const auto ranks = make_ranks(world_size);
    std::vector<Classifier> classifiers;
    for (int rank = 0; rank < world_size; ++rank) classifiers.push_back(made.classifier());
    const auto job = made.job(folder / fmt::format("ranks-{}", world_size));
    on_every_rank(world_size, [&](int rank) { encode_features(classifiers[rank], job, ranks[rank]); });
    expect_same(read_features(job.folder), expected);
  }
}

TEST(FeatureCache, OtherTextsEncodeNoVideoAgain) {
  const FeatureCase made;
  const TemporaryFolder folder;
  auto job = made.job(folder / "cache");
  encode(job, made);
  job.fetch = [](const VideoEntry&, const FrameChooser&) -> ChosenFrames {
    throw std::runtime_error("again");
  };
  job.labels[0] = "another name";
  job.texts.templates = {"one {}", "two {}", "three {}"};
  const auto features = encode(job, made);
  EXPECT_EQ(features.labels[0], "another name");
  EXPECT_EQ(features.texts.templates[2], "three {}");
}

TEST(FeatureCache, AFolderOfOtherSettingsIsRefusedAndTheyAreNamed) {
  const FeatureCase made;
  const TemporaryFolder folder;
  auto job = made.job(folder / "cache");
  encode(job, made);
  job.identity.origin["precision"] = "bf16";
  job.identity.half = true;
  EXPECT_THAT(message_of([&] { encode(job, made); }),
              AllOf(HasSubstr("precision (fp32, now bf16)"), HasSubstr("stored_as (fp32, now fp16)")));
}

TEST(FeatureCache, AFolderOfOtherFilesIsLeftAlone) {
  const FeatureCase made;
  const TemporaryFolder folder;
  folder.write("mine/notes.txt", "mine");
  EXPECT_THAT(message_of([&] { encode(made.job(folder / "mine"), made); }),
              HasSubstr("no folder of features"));
  EXPECT_THAT(message_of([&] { read_features(folder / "mine"); }), HasSubstr("holds no features"));
}

TEST(FeatureCache, DamagedFilesAreNamed) {
  const FeatureCase made;
  const TemporaryFolder folder;
  const auto job = made.job(folder / "cache");
  encode(job, made);
  const auto refused_with = [&](const std::string& name, const std::string& text) {
    const auto file = job.folder / name;
    const auto kept = read_text(file);
    write_text(file, text);
    EXPECT_THAT(message_of([&] { read_features(job.folder); }), HasSubstr(name));
    write_text(file, kept);
  };
  refused_with("videos-00001.safetensors", "");
  refused_with("videos-00002.safetensors", read_text(job.folder / "videos-00000.safetensors"));
  refused_with("index.json", "{}");
  refused_with("index.json", "not JSON");
  refused_with("identity.json", R"({"videos": 0})");
  refused_with("texts.safetensors", read_text(job.folder / "videos-00000.safetensors"));
  std::filesystem::remove(job.folder / "videos-00001.safetensors");
  EXPECT_THAT(message_of([&] { read_features(job.folder); }),
              AllOf(HasSubstr("videos-00001.safetensors"), HasSubstr("is missing")));
}

TEST(FeatureCache, TooManyFailedVideosStopItAsTheyStopEvaluate) {
  FeatureCase made;
  const TemporaryFolder folder;
  auto job = made.job(folder / "cache");
  job.clips.max_failed_share = 0;
  EXPECT_THAT(message_of([&] { encode(job, made); }), HasSubstr("data.max_failed_share"));
}

}  // namespace
}  // namespace actionclip
