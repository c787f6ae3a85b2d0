#include "actionclip/video/dataset.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"

#include "tests/places.h"
#include "tests/video/fake_videos.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The frame number that each frame of a view of fake video `video` shows.
std::vector<std::int64_t> frames_of(const at::Tensor& view, std::int64_t video) {
  std::vector<std::int64_t> frames;
  for (std::int64_t i = 0; i < view.size(0); ++i) {
    EXPECT_TRUE((view[i] == view[i].flatten()[0]).all().item<bool>()) << "a frame of one colour stays so";
    frames.push_back((view[i].flatten()[0].item<std::int64_t>() - 16 * video + 256) % 256);
  }
  return frames;
}

TEST(ClipDataset, ATestSampleShowsTheTestFramesOfItsVideo) {
  const ClipDataset dataset(fake_list(5), fake_options(), fake_frames());
  const auto sample = dataset.load(0, 3, SampleMode::test);
  EXPECT_EQ(sample.clip.sizes(), (std::vector<std::int64_t>{1, 4, 3, 16, 16}));
  EXPECT_EQ(sample.clip.scalar_type(), at::kByte);
  EXPECT_EQ(frames_of(sample.clip[0], 3), sample_test_frames(13, 4, 0, 1, SamplingConfig()));
  EXPECT_EQ(sample.index, 3);
  EXPECT_EQ(sample.label_id, 3);
  EXPECT_EQ(sample.caption, "caption 3");
  EXPECT_EQ(sample.error, "");
}

TEST(ClipDataset, ViewsAreClipsTimesCrops) {
  auto options = fake_options();
  options.clips = 2;
  options.crops = 3;
  const ClipDataset dataset(fake_list(5), options, fake_frames());
  const auto sample = dataset.load(0, 4, SampleMode::test);
  ASSERT_EQ(sample.clip.size(0), 6);
  for (std::int64_t view = 0; view < 6; ++view) {
    EXPECT_EQ(frames_of(sample.clip[view], 4), sample_test_frames(14, 4, view / 3, 2, SamplingConfig()))
        << "view " << view;
  }
  const ClipDataset patterned(fake_list(1), options, patterned_frames(32, 18));
  const auto crops = patterned.load(0, 0, SampleMode::test).clip;
  EXPECT_FALSE(at::equal(crops[0], crops[1]));
  EXPECT_FALSE(at::equal(crops[1], crops[2]));
  EXPECT_TRUE(at::equal(crops[0], crops[3])) << "the same crop of another clip of a still video";
}

TEST(ClipDataset, ATrainingSampleIsAFunctionOfSeedEpochAndIndex) {
  const ClipDataset dataset(fake_list(5), fake_options(), patterned_frames(40, 30));
  const ClipDataset same(fake_list(5), fake_options(), patterned_frames(40, 30));
  auto options = fake_options();
  options.seed = 4;
  const ClipDataset other_seed(fake_list(5), options, patterned_frames(40, 30));
  int differ_by_epoch = 0, differ_by_seed = 0, differ_by_index = 0;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    const auto clip = dataset.load(epoch, 2, SampleMode::train).clip;
    EXPECT_EQ(clip.sizes(), (std::vector<std::int64_t>{1, 4, 3, 16, 16}));
    EXPECT_TRUE(at::equal(clip, same.load(epoch, 2, SampleMode::train).clip));
    differ_by_epoch += at::equal(clip, dataset.load(epoch + 1, 2, SampleMode::train).clip) ? 0 : 1;
    differ_by_index += at::equal(clip, dataset.load(epoch, 3, SampleMode::train).clip) ? 0 : 1;
    differ_by_seed += at::equal(clip, other_seed.load(epoch, 2, SampleMode::train).clip) ? 0 : 1;
  }
  EXPECT_GE(differ_by_epoch, 6);
  EXPECT_GE(differ_by_index, 6);
  EXPECT_GE(differ_by_seed, 6);
}

TEST(ClipDataset, TrainingFramesComeOneFromEachSegment) {
  const ClipDataset dataset(fake_list(5), fake_options(), fake_frames());
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto frames = frames_of(dataset.load(epoch, 2, SampleMode::train).clip[0], 2);
    for (std::int64_t i = 0; i < 4; ++i) {
      EXPECT_GE(frames[i], i * 12 / 4);
      EXPECT_LT(frames[i], (i + 1) * 12 / 4);
    }
  }
}

TEST(ClipDataset, WithoutScalesATrainingClipIsTheTestCropFlippedAtRandom) {
  auto options = fake_options();
  options.transforms.scales = {};
  const ClipDataset dataset(fake_list(1), options, patterned_frames(40, 30));
  const auto centre = dataset.load(0, 0, SampleMode::test).clip;
  int flips = 0;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto clip = dataset.load(epoch, 0, SampleMode::train).clip;
    const bool flipped = at::equal(clip, centre.flip(4));
    EXPECT_TRUE(flipped || at::equal(clip, centre));
    flips += flipped ? 1 : 0;
  }
  EXPECT_GT(flips, 2);
  EXPECT_LT(flips, 18);
}

TEST(ClipDataset, AnyNumberOfCropsGivesAsManyViews) {
  auto options = fake_options();
  options.clips = 2;
  for (const std::int64_t crops : {1, 3, 5, 10}) {
    options.crops = crops;
    const ClipDataset dataset(fake_list(2), options, patterned_frames(40, 30));
    const auto clip = dataset.load(0, 1, SampleMode::test).clip;
    EXPECT_EQ(clip.sizes(), (std::vector<std::int64_t>{2 * crops, 4, 3, 16, 16}));
    for (std::int64_t a = 0; a < crops; ++a) {
      for (std::int64_t b = a + 1; b < crops; ++b) EXPECT_FALSE(at::equal(clip[a], clip[b]));
    }
    if (crops < 10) continue;
    // Of the mirrored frame: what was at the right is at the left.
    constexpr std::array<std::int64_t, 5> kMirrored = {1, 0, 3, 2, 4};
    for (std::int64_t crop = 0; crop < 5; ++crop)
      EXPECT_TRUE(at::equal(clip[crop + 5], clip[kMirrored[crop]].flip(3))) << "mirror image " << crop;
  }
}

// Dense clips overlap in the video, whose frames are asked for in its order.
TEST(ClipDataset, ClipsThatOverlapAreReadInTheOrderOfTheVideo) {
  auto options = fake_options();
  options.clips = 3;
  options.sampling = {.strategy = FrameSampling::dense, .stride = 2};
  bool sorted = false;
  const auto watched = [&](const VideoEntry& entry, const FrameChooser& choose) {
    return fake_frames()(entry, [&](std::int64_t n) {
      const auto indices = choose(n);
      sorted = std::ranges::is_sorted(indices);
      return indices;
    });
  };
  const ClipDataset dataset(fake_list(5), options, watched);
  const auto clip = dataset.load(0, 4, SampleMode::test).clip;
  EXPECT_TRUE(sorted);
  for (std::int64_t j = 0; j < 3; ++j)
    EXPECT_EQ(frames_of(clip[j], 4), sample_test_frames(14, 4, j, 3, options.sampling)) << "clip " << j;
}

TEST(ClipDataset, TellsWhatASampleCost) {
  const auto slow = [](const VideoEntry& entry, const FrameChooser& choose) {
    auto chosen = fake_frames()(entry, choose);
    chosen.seconds = {.read = 0.5, .decode = 2};
    return chosen;
  };
  const ClipDataset dataset(fake_list(3), fake_options(), slow);
  for (const auto mode : {SampleMode::train, SampleMode::test}) {
    const auto load = dataset.load(0, 1, mode).load;
    EXPECT_EQ(load.read, 0.5);
    EXPECT_EQ(load.decode, 2);
    EXPECT_GT(load.transform, 0);
    EXPECT_LT(load.transform, 60);
  }
}

TEST(ClipDataset, WritesIntoAGivenTensor) {
  const ClipDataset dataset(fake_list(5), fake_options(), fake_frames());
  const auto batch = at::zeros({2, 1, 4, 3, 16, 16}, at::kByte);
  dataset.load(0, 3, SampleMode::test, batch[1]);
  EXPECT_TRUE(at::equal(batch[1], dataset.load(0, 3, SampleMode::test).clip));
  EXPECT_FALSE(batch[0].any().item<bool>());
}

TEST(ClipDataset, InTrainingAnotherSampleTakesTheFailedOnesPlace) {
  const ClipDataset dataset(fake_list(8), fake_options(), fake_frames({5}));
  std::set<std::int64_t> replacements;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto sample = dataset.load(epoch, 5, SampleMode::train);
    EXPECT_NE(sample.index, 5);
    EXPECT_EQ(sample.label_id, sample.index) << "the label is the replacement's";
    EXPECT_EQ(sample.caption, fmt::format("caption {}", sample.index));
    EXPECT_EQ(sample.error, "");
    ASSERT_FALSE(sample.failed.empty());
    EXPECT_EQ(sample.failed[0].index, 5);
    frames_of(sample.clip[0], sample.index);
    EXPECT_EQ(dataset.load(epoch, 5, SampleMode::train).index, sample.index);
    replacements.insert(sample.index);
  }
  EXPECT_GT(replacements.size(), 2u) << "drawn anew in each epoch";
}

TEST(ClipDataset, InATestAFailedVideoStaysAndSaysWhy) {
  const ClipDataset dataset(fake_list(8), fake_options(), fake_frames({5}));
  const auto sample = dataset.load(0, 5, SampleMode::test, at::ones({1, 4, 3, 16, 16}, at::kByte));
  EXPECT_EQ(sample.index, 5);
  EXPECT_EQ(sample.label_id, 5);
  EXPECT_EQ(sample.error, "5: damaged");
  EXPECT_FALSE(sample.clip.any().item<bool>());
}

TEST(ClipDataset, WhenTenReplacementsFailTooItIsAnError) {
  const ClipDataset dataset(fake_list(3), fake_options(), fake_frames({0, 1, 2}));
  EXPECT_THROW(
      {
        try {
          dataset.load(0, 1, SampleMode::train);
        } catch (const VideoError&) {
          FAIL() << "a VideoError would be taken for one video's";
        }
      },
      Error);
}

TEST(ClipDataset, MoreFailuresThanTheShareAllowsStopTheRun) {
  auto options = fake_options();
  options.max_failed_share = 0.2;  // 2 of 10
  const ClipDataset dataset(fake_list(10), options, fake_frames({1, 4, 7}));
  const auto count = [&](std::int64_t index) {
    dataset.count_failures(dataset.load(0, index, SampleMode::test));
  };
  count(1);
  count(1);
  count(0);
  count(4);
  EXPECT_EQ(dataset.failed_count(), 2) << "each video counts once";
  try {
    count(7);
    FAIL() << "the third failure must stop the run";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("fake.txt: 3 of 10"), HasSubstr("0.2"), HasSubstr("1, 4, 7")));
  }
}

TEST(ClipDataset, AShareOfNothingStopsAtTheFirstFailureAndASmallListBearsOne) {
  auto options = fake_options();
  const auto fail_one = [&](double share) {
    options.max_failed_share = share;
    const ClipDataset dataset(fake_list(10), options, fake_frames({1}));
    dataset.count_failures(dataset.load(0, 1, SampleMode::test));
  };
  EXPECT_THROW(fail_one(0), Error);
  EXPECT_NO_THROW(fail_one(0.01));
}

TEST(ClipDataset, TheShareIsRoundedUpToVideos) {
  auto options = fake_options();
  options.max_failed_share = 0.15;  // 1.5 of 10
  const ClipDataset dataset(fake_list(10), options, fake_frames({1, 4, 7}));
  const auto fail = [&](std::int64_t index) {
    dataset.count_failures(dataset.load(0, index, SampleMode::test));
  };
  fail(1);
  EXPECT_NO_THROW(fail(4));
  EXPECT_THROW(fail(7), Error);
}

TEST(ClipDataset, FramesOfDifferentSizesAndEmptyVideosAreFailures) {
  const auto uneven = [](const VideoEntry&, const FrameChooser& choose) {
    return choose_frames(30, choose, [](std::int64_t frame) {
      const std::int64_t width = 24 + frame / 10;
      return Image{.width = width, .height = 20, .rgb = std::vector<std::uint8_t>(3 * width * 20)};
    });
  };
  EXPECT_THROW(ClipDataset(fake_list(1), fake_options(), uneven).load(0, 0, SampleMode::train), Error);
  const auto empty = [](const VideoEntry&, const FrameChooser& choose) {
    choose(0);
    return ChosenFrames();
  };
  EXPECT_EQ(ClipDataset(fake_list(1), fake_options(), empty).load(0, 0, SampleMode::test).error,
            "0: it has no frames");
}

TEST(ClipDataset, OtherErrorsAreNotTakenForDamage) {
  const auto broken = [](const VideoEntry&, const FrameChooser&) -> ChosenFrames {
    throw std::runtime_error("out of memory");
  };
  const ClipDataset dataset(fake_list(3), fake_options(), broken);
  EXPECT_THROW(dataset.load(0, 0, SampleMode::train), std::runtime_error);
  EXPECT_THROW(dataset.load(0, 0, SampleMode::test), std::runtime_error);
}

TEST(ClipDataset, ACaptionListGivesOneFrame) {
  DatasetConfig config;
  config.format = ListFormat::captions;
  VideoList list(config);
  for (std::int64_t i = 0; i < 3; ++i) {
    VideoEntry entry;
    entry.path = std::to_string(i);
    entry.caption = fmt::format("caption {}", i);
    list.add(entry);
  }
  EXPECT_THROW(ClipDataset(list, fake_options(), fake_frames()), Error);
  auto options = fake_options();
  options.frames = 1;
  const auto sample = ClipDataset(list, options, noisy_frames(24, 20)).load(0, 1, SampleMode::train);
  EXPECT_EQ(sample.caption, "caption 1");
  EXPECT_EQ(sample.label_id, -1);
  EXPECT_TRUE(sample.label_ids.empty());
}

TEST(ClipDataset, RefusesOptionsOutOfRange) {
  const auto refuses = [](auto change) {
    auto options = fake_options();
    change(options);
    EXPECT_THROW(ClipDataset(fake_list(3), options, fake_frames()), Error);
  };
  refuses([](auto& options) { options.frames = 0; });
  refuses([](auto& options) { options.clips = 0; });
  refuses([](auto& options) { options.crops = 2; });
  refuses([](auto& options) { options.crops = 15; });
  refuses([](auto& options) { options.sampling.repeats = 0; });
  refuses([](auto& options) { options.transforms.input_size = 0; });
  refuses([](auto& options) { options.transforms.test_resize = 15; });
  EXPECT_THROW(ClipDataset(fake_list(0), fake_options(), fake_frames()), Error);
}

TEST(ClipDataset, ReadsRealVideosAndCountsADamagedOne) {
  const auto videos = test_data_folder() / "videos";
  if (!std::filesystem::exists(videos)) GTEST_SKIP() << "no videos at " << videos;
  const std::vector names{"arm_wrestling.mp4", "flipping_a_pancake.mkv", "corrupted.mp4"};
  // What is known of the videos would be kept beside the list, which is in a folder that does not exist: kept
  // in memory.
  DatasetConfig config;
  config.list.path = std::filesystem::path(::testing::TempDir()) / "no such folder" / "list.txt";
  config.root.path = videos;
  VideoList list(config);
  for (const auto* name : names) {
    VideoEntry entry;
    entry.path = name;
    entry.label_ids = {0};
    list.add(entry);
  }
  const ClipDataset dataset(list, fake_options());
  for (const std::int64_t index : {0, 1}) {
    const auto sample = dataset.load(0, index, SampleMode::test);
    EXPECT_EQ(sample.error, "");
    EXPECT_GT(sample.clip.to(at::kFloat).std().item<float>(), 10)
        << names[index] << ": a picture, not a blank";
    EXPECT_TRUE(dataset.load(0, index, SampleMode::train).failed.empty());
  }
  EXPECT_THAT(dataset.load(0, 2, SampleMode::test).error, HasSubstr("corrupted.mp4"));
}

}  // namespace
}  // namespace actionclip
