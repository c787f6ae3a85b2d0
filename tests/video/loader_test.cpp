#include "actionclip/video/loader.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <numeric>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/random.h"

#include "tests/video/fake_videos.h"
#include "tests/video/loader_case.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

ClipDatasetOptions tolerant_options() {
  auto options = fake_options();
  options.max_failed_share = 1;
  return options;
}

TEST(Loader, BatchesAreTheSameForAnyNumberOfWorkers) {
  const ClipDataset dataset(fake_list(21), tolerant_options(), fake_frames({3, 4, 11}));
  for (const auto mode : {SampleMode::train, SampleMode::test}) {
    auto options = training_options();
    options.mode = mode;
    const auto expected = epoch_of(dataset, options, 2);
    for (const std::int64_t workers : {1, 4}) {
      options.workers = workers;
      const auto batches = epoch_of(dataset, options, 2);
      ASSERT_EQ(batches.size(), expected.size());
      for (std::size_t i = 0; i < batches.size(); ++i) expect_same(batches[i], expected[i]);
    }
  }
}

// Everything that is drawn for a clip, and several clips of each video.
TEST(Loader, AugmentedBatchesAreTheSameForAnyWorkersRanksAndAfterAResumption) {
  for (const std::int64_t repeats : {1, 2, 4}) {
    SCOPED_TRACE(repeats);
    auto augmented = augmented_options();
    augmented.sampling.repeats = repeats;
    const ClipDataset dataset(fake_list(9), augmented, noisy_frames(40, 30));
    auto options = training_options();
    const auto whole = epoch_of(dataset, options, 2);
    ASSERT_EQ(static_cast<std::int64_t>(whole.size()), 9 * repeats / 4);
    for (const std::int64_t workers : {1, 4}) {
      options.workers = workers;
      const auto batches = epoch_of(dataset, options, 2);
      ASSERT_EQ(batches.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) expect_same(batches[i], whole[i]);
      const auto rest = epoch_of(dataset, options, 2, /*first_batch=*/1);
      ASSERT_EQ(rest.size() + 1, whole.size());
      for (std::size_t i = 0; i < rest.size(); ++i) expect_same(rest[i], whole[i + 1]);
    }
    options.world_size = 2;
    for (options.rank = 0; options.rank < 2; ++options.rank) {
      const auto part = epoch_of(dataset, options, 2);
      ASSERT_EQ(part.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_TRUE(at::equal(part[i].clips, whole[i].clips.narrow(0, 2 * options.rank, 2)));
        EXPECT_TRUE(at::equal(part[i].label_ids, whole[i].label_ids.narrow(0, 2 * options.rank, 2)));
      }
    }
  }
}

TEST(Loader, TheClipsOfAVideoStandSideBySide) {
  auto repeated = fake_options();
  repeated.sampling.repeats = 2;
  const ClipDataset dataset(fake_list(10), repeated, noisy_frames(40, 30));
  EXPECT_EQ(Loader(dataset, training_options()).batches_per_epoch(), 5);
  const auto batches = epoch_of(dataset, training_options(), 1);
  ASSERT_EQ(batches.size(), 5u);
  std::set<std::int64_t> videos;
  for (const auto& batch : batches) {
    for (std::int64_t row = 0; row < 4; ++row) {
      const auto index = batch.indices[row];
      EXPECT_EQ(index, batch.indices[row - row % 2]);
      const auto expected = dataset.load(1, index, SampleMode::train, {}, /*repeat=*/row % 2).clip;
      EXPECT_TRUE(at::equal(batch.clips[row], expected));
      videos.insert(index);
    }
  }
  EXPECT_EQ(videos.size(), 10u) << "an epoch has all videos";
  const auto whole = ClipDataset(fake_list(10), fake_options(), noisy_frames(40, 30));
  const auto plain = indices_of(epoch_of(whole, training_options(), 1));
  EXPECT_EQ(batches[0].indices, (std::vector{plain[0], plain[0], plain[1], plain[1]}))
      << "in the order that it has without repeats";
  EXPECT_EQ(indices_of(epoch_of(dataset, test_options(4))).size(), 10u) << "a test repeats nothing";
}

TEST(Loader, VideosOfSeveralLabelsComeWithTargets) {
  VideoList list;
  for (const std::vector<std::int32_t>& label_ids :
       std::vector<std::vector<std::int32_t>>{{0}, {1, 3}, {2, 0, 4, 1}, {4}}) {
    VideoEntry entry;
    entry.path = "video";
    entry.label_ids = label_ids;
    list.add(entry);
  }
  auto options = fake_options();
  options.classes = 5;
  const ClipDataset dataset(list, options, noisy_frames(24, 20));
  const auto expected = at::tensor({1.0,  0.0,  0.0,  0.0, 0.0,   //
                                    0.0,  0.5,  0.0,  0.5, 0.0,   //
                                    0.25, 0.25, 0.25, 0.0, 0.25,  //
                                    0.0,  0.0,  0.0,  0.0, 1.0},
                                   at::kFloat)
                            .view({4, 5});
  auto loading = training_options();
  loading.shuffle = false;
  for (const std::int64_t workers : {0, 2}) {
    loading.workers = workers;
    const auto batches = epoch_of(dataset, loading);
    EXPECT_TRUE(at::equal(batches.at(0).targets, expected));
    EXPECT_TRUE(batches[0].targets.gather(1, batches[0].label_ids.unsqueeze(1)).gt(0).all().item<bool>());
  }
  const ClipDataset plain(fake_list(5), options, fake_frames());
  EXPECT_FALSE(epoch_of(plain, training_options()).at(0).targets.defined());
  options.classes = 4;
  const ClipDataset narrow(list, options, noisy_frames(24, 20));
  EXPECT_THROW(epoch_of(narrow, loading), Error) << "label id 4 of 4 classes";
}

TEST(Loader, ABatchTellsWhatItsClipsCost) {
  const auto dear = [](const VideoEntry& entry, const FrameChooser& choose) {
    auto chosen = fake_frames()(entry, choose);
    chosen.seconds = {.read = 0.25, .decode = 1};
    return chosen;
  };
  const ClipDataset dataset(fake_list(8), fake_options(), dear);
  for (const auto& batch : epoch_of(dataset, test_options(4))) {
    EXPECT_EQ(batch.load.read, 1);
    EXPECT_EQ(batch.load.decode, 4);
    EXPECT_GT(batch.load.transform, 0);
  }
}

TEST(Loader, ABatchHoldsItsRowsSideBySide) {
  const ClipDataset dataset(fake_list(10), fake_options(), fake_frames());
  const auto batches = epoch_of(dataset, test_options(4));
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[1].clips.sizes(), (std::vector<std::int64_t>{4, 1, 4, 3, 16, 16}));
  EXPECT_EQ(batches[1].label_ids.scalar_type(), at::kLong);
  for (std::int64_t row = 0; row < 4; ++row) {
    EXPECT_EQ(batches[1].indices[row], 4 + row);
    EXPECT_EQ(batches[1].label_ids[row].item<std::int64_t>(), 4 + row);
    EXPECT_EQ(batches[1].captions[row], fmt::format("caption {}", 4 + row));
    EXPECT_TRUE(at::equal(batches[1].clips[row], dataset.load(0, 4 + row, SampleMode::test).clip));
  }
  EXPECT_EQ(batches[2].clips.size(0), 2) << "the last batch is kept";
}

TEST(Loader, AnEpochResumedAtABatchGivesTheRestOfTheEpoch) {
  const ClipDataset dataset(fake_list(21), fake_options(), fake_frames());
  auto options = training_options();
  options.workers = 2;
  const auto whole = epoch_of(dataset, options, 1);
  ASSERT_EQ(whole.size(), 5u);
  for (std::int64_t first = 0; first <= 5; ++first) {
    const auto rest = epoch_of(dataset, options, 1, first);
    ASSERT_EQ(rest.size(), 5u - first);
    for (std::size_t i = 0; i < rest.size(); ++i) expect_same(rest[i], whole[first + i]);
  }
}

TEST(Loader, EpochsAreShuffledDifferentlyAndWithoutRepeats) {
  const ClipDataset dataset(fake_list(20), fake_options(), fake_frames());
  const auto first = indices_of(epoch_of(dataset, training_options(), 0));
  const auto second = indices_of(epoch_of(dataset, training_options(), 1));
  EXPECT_NE(first, second);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 20u);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
}

TEST(Loader, DropLastLeavesOutTheBatchThatIsNotFull) {
  const ClipDataset dataset(fake_list(10), fake_options(), fake_frames());
  auto options = training_options();
  EXPECT_EQ(Loader(dataset, options).batches_per_epoch(), 2);
  EXPECT_EQ(indices_of(epoch_of(dataset, options)).size(), 8u);
  options.drop_last = false;
  EXPECT_EQ(Loader(dataset, options).batches_per_epoch(), 3);
  EXPECT_EQ(indices_of(epoch_of(dataset, options)).size(), 10u);
}

TEST(Loader, RanksShareTheBatchesOfASingleRank) {
  const ClipDataset dataset(fake_list(26), fake_options(), fake_frames());
  auto options = training_options();
  options.batch_size = 8;
  const auto whole = epoch_of(dataset, options, 1);
  for (const std::int64_t ranks : {2, 4}) {
    options.world_size = ranks;
    for (options.rank = 0; options.rank < ranks; ++options.rank) {
      const auto part = epoch_of(dataset, options, 1);
      ASSERT_EQ(part.size(), whole.size());
      for (std::size_t i = 0; i < part.size(); ++i) {
        const auto begin = options.rank * 8 / ranks;
        EXPECT_TRUE(at::equal(part[i].clips, whole[i].clips.narrow(0, begin, 8 / ranks)));
        EXPECT_TRUE(at::equal(part[i].label_ids, whole[i].label_ids.narrow(0, begin, 8 / ranks)));
      }
    }
  }
}

TEST(Loader, ATestSeesEveryVideoOnceForAnyBatchSizeAndNumberOfRanks) {
  for (const std::int64_t size : {1, 2, 7, 12}) {
    const ClipDataset dataset(fake_list(size), fake_options(), fake_frames());
    for (const std::int64_t batch_size : {1, 3, 7, 32}) {
      for (const std::int64_t ranks : {1, 2, 3, 5}) {
        std::vector<std::int64_t> seen;
        auto options = test_options(batch_size);
        options.world_size = ranks;
        for (options.rank = 0; options.rank < ranks; ++options.rank) {
          const auto batches = epoch_of(dataset, options);
          EXPECT_EQ(static_cast<std::int64_t>(batches.size()), Loader(dataset, options).batches_per_epoch());
          const auto part = indices_of(batches);
          seen.insert(seen.end(), part.begin(), part.end());
        }
        std::vector<std::int64_t> every(size);
        std::iota(every.begin(), every.end(), 0);
        EXPECT_EQ(seen, every) << "batch " << batch_size << ", " << ranks << " ranks";
      }
    }
  }
}

TEST(Loader, AFailedVideoIsReplacedInTrainingAndKeptInATest) {
  const ClipDataset dataset(fake_list(8), tolerant_options(), fake_frames({5}));
  const auto trained = indices_of(epoch_of(dataset, training_options()));
  EXPECT_EQ(trained.size(), 8u);
  EXPECT_EQ(std::count(trained.begin(), trained.end(), 5), 0);
  const auto tested = epoch_of(dataset, test_options(8));
  EXPECT_EQ(tested[0].indices[5], 5);
  EXPECT_THAT(tested[0].errors[5], HasSubstr("damaged"));
  EXPECT_EQ(tested[0].errors[4], "");
  EXPECT_FALSE(tested[0].clips[5].any().item<bool>());
  EXPECT_EQ(dataset.failed_count(), 1);
}

TEST(Loader, TooManyFailedVideosStopAtTheSameBatchForAnyNumberOfWorkers) {
  for (const std::int64_t workers : {0, 1, 4}) {
    auto limited = fake_options();
    limited.max_failed_share = 0.1;  // 2 of 20
    const ClipDataset dataset(fake_list(20), limited, fake_frames({2, 9, 13, 14}));
    auto options = test_options(4);
    options.workers = workers;
    options.prefetch = 5;
    Loader loader(dataset, options);
    loader.start_epoch(0);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(loader.next().has_value());
    try {
      loader.next();
      FAIL() << "video 13 is one too many";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("3 of 20"));
    }
  }
}

TEST(Loader, WhatAWorkerThrowsSurfacesAtNext) {
  const auto broken = [](const VideoEntry& entry, const FrameChooser& choose) {
    if (entry.label_id() == 6) throw std::logic_error("broken decoder");
    return fake_frames()(entry, choose);
  };
  const ClipDataset dataset(fake_list(8), fake_options(), broken);
  for (const std::int64_t workers : {0, 2}) {
    auto options = test_options(4);
    options.workers = workers;
    Loader loader(dataset, options);
    loader.start_epoch(0);
    EXPECT_TRUE(loader.next().has_value());
    EXPECT_THROW(loader.next(), std::logic_error);
  }
}

TEST(Loader, CanBeDestroyedAndRestartedInTheMiddleOfAnEpoch) {
  const ClipDataset dataset(fake_list(40), fake_options(), fake_frames());
  auto options = training_options();
  options.workers = 3;
  options.prefetch = 4;
  const auto expected = epoch_of(dataset, options, 5);
  for (int taken = 0; taken < 4; ++taken) {
    Loader loader(dataset, options);
    loader.start_epoch(0);
    for (int i = 0; i < taken; ++i) loader.next();
    loader.start_epoch(5);
    expect_same(*loader.next(), expected[0]);
    expect_same(*loader.next(), expected[1]);
  }
}

// The order of an epoch is part of what a run can be repeated by.
TEST(Loader, AnEpochsOrderNeverChanges) {
  const ClipDataset dataset(fake_list(12), fake_options(), fake_frames());
  std::vector<std::int64_t> expected(12);
  std::iota(expected.begin(), expected.end(), 0);
  RandomStream(3, RandomPurpose::kShuffle, 7).shuffle(expected);
  EXPECT_EQ(indices_of(epoch_of(dataset, training_options(), 7)), expected);
}

TEST(Loader, MeasuresTheTimeThatItWaits) {
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  const auto gated = [&](const VideoEntry& entry, const FrameChooser& choose) {
    opened.wait();
    return fake_frames()(entry, choose);
  };
  const ClipDataset dataset(fake_list(4), fake_options(), gated);
  Loader loader(dataset, test_options(4));
  EXPECT_EQ(loader.seconds_waited(), 0);
  loader.start_epoch(0);
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gate.set_value();
  });
  loader.next();
  opener.join();
  EXPECT_GT(loader.seconds_waited(), 0.0);
  EXPECT_LT(loader.seconds_waited(), 60.0);
}

TEST(Loader, RefusesOptionsThatCannotWork) {
  const ClipDataset dataset(fake_list(10), fake_options(), fake_frames());
  const auto refuses = [&](auto change) {
    auto options = training_options();
    change(options);
    EXPECT_THROW(Loader(dataset, options), Error);
  };
  refuses([](auto& options) { options.batch_size = 0; });
  refuses([](auto& options) { options.batch_size = 11; });
  refuses([](auto& options) { options.workers = -1; });
  refuses([](auto& options) { options.rank = 1; });
  refuses([](auto& options) { options.world_size = 3; });
  refuses([](auto& options) {
    options.world_size = 2;
    options.drop_last = false;
  });
  auto repeated = fake_options();
  repeated.sampling.repeats = 3;
  const ClipDataset three_clips(fake_list(10), repeated, fake_frames());
  EXPECT_THROW(Loader(three_clips, training_options()), Error) << "4 clips are no videos of 3";
  if (!at::hasCUDA()) refuses([](auto& options) { options.pin_memory = true; });
  Loader loader(dataset, training_options());
  EXPECT_FALSE(loader.next().has_value()) << "not started";
  EXPECT_THROW(loader.start_epoch(0, 3), Error);
  EXPECT_THROW(loader.start_epoch(0, -1), Error);
}

}  // namespace
}  // namespace actionclip
