// What a training clip is drawn, augmented and labelled as.

#include <filesystem>
#include <iterator>
#include <map>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"

#include "tests/video/fake_videos.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;

TEST(TrainingClip, RepeatsOfAVideoAreDrawnAnewAndTheFirstAsWithoutThem) {
  auto options = augmented_options();
  const ClipDataset plain(fake_list(5), options, noisy_frames(40, 30));
  options.sampling.repeats = 3;
  const ClipDataset dataset(fake_list(5), options, noisy_frames(40, 30));
  EXPECT_EQ(dataset.repeats(SampleMode::train), 3);
  EXPECT_EQ(dataset.repeats(SampleMode::test), 1);
  const auto clip_of = [&](std::int64_t repeat) {
    return dataset.load(2, 4, SampleMode::train, {}, repeat).clip;
  };
  EXPECT_TRUE(at::equal(clip_of(0), plain.load(2, 4, SampleMode::train).clip));
  EXPECT_TRUE(at::equal(clip_of(1), clip_of(1)));
  EXPECT_FALSE(at::equal(clip_of(0), clip_of(1)));
  EXPECT_FALSE(at::equal(clip_of(1), clip_of(2)));
}

TEST(TrainingClip, AllRepeatsOfAFailedVideoAreOfTheSameReplacement) {
  const ClipDataset dataset(fake_list(30), fake_options(), fake_frames({5}));
  const auto first = dataset.load(0, 5, SampleMode::train).index;
  for (std::int64_t repeat = 1; repeat < 4; ++repeat)
    EXPECT_EQ(dataset.load(0, 5, SampleMode::train, {}, repeat).index, first);
}

// The streams are part of what a run can be repeated by: new augmentations that are off change no clip.
TEST(TrainingClip, FramesAndCropsAreDrawnFromTheirStreamsAsEver) {
  const auto options = fake_options();
  const ClipDataset dataset(fake_list(5), options, noisy_frames(40, 30));
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    RandomStream frames(options.seed, RandomPurpose::kFrames, epoch, 3);
    RandomStream crop(options.seed, RandomPurpose::kAugmentation, epoch, 3);
    const auto indices = sample_training_frames(30, 4, options.sampling, frames);
    const auto choice = choose_crop(40, 30, options.transforms, crop);
    const auto chosen = noisy_frames(40, 30)(dataset.list().entry(3), [&](std::int64_t) { return indices; });
    const auto expected = at::empty({4, 3, 16, 16}, at::kByte);
    for (std::int64_t i = 0; i < 4; ++i)
      transform_training_frame(chosen.frames[i], choice, Interpolation::bilinear, expected[i]);
    EXPECT_TRUE(at::equal(dataset.load(epoch, 3, SampleMode::train).clip[0], expected));
  }
}

TEST(TrainingClip, EachAugmentationShows) {
  const auto clip_with = [](auto change) {
    auto options = fake_options();
    change(options.transforms);
    return ClipDataset(fake_list(5), options, noisy_frames(40, 30)).load(0, 3, SampleMode::train).clip;
  };
  const auto plain = clip_with([](auto&) {});
  const auto shows = [&](const char* name, auto change) {
    EXPECT_FALSE(at::equal(clip_with(change), plain)) << name;
  };
  shows("crop", [](auto& transforms) { transforms.crop = CropKind::random_resized; });
  shows("interpolation", [](auto& transforms) { transforms.interpolation = Interpolation::bicubic; });
  shows("RandAugment", [](auto& transforms) { transforms.rand_augment.operations = 4; });
  shows("colour jitter", [](auto& transforms) { transforms.color_jitter.probability = 1; });
  shows("grey", [](auto& transforms) { transforms.grayscale = 1; });
  shows("blur", [](auto& transforms) { transforms.blur.probability = 1; });
  shows("solarise", [](auto& transforms) { transforms.solarize = 1; });
  shows("erasing", [](auto& transforms) { transforms.erasing.probability = 1; });
}

// A list of one video of several labels.
VideoList multi_label_list() {
  VideoList list;
  VideoEntry entry;
  entry.path = "a";
  entry.label_ids = {4, 1, 6};
  list.add(entry);
  return list;
}

TEST(TrainingClip, OfSeveralLabelsOneIsDrawnToStandForTheClip) {
  auto options = fake_options();
  options.classes = 8;
  const ClipDataset dataset(multi_label_list(), options, noisy_frames(24, 20));
  EXPECT_EQ(dataset.target_classes(), 8);
  std::map<std::int64_t, int> drawn;
  for (std::int64_t epoch = 0; epoch < 300; ++epoch) {
    const auto sample = dataset.load(epoch, 0, SampleMode::train);
    EXPECT_THAT(sample.label_ids, ElementsAre(4, 1, 6));
    EXPECT_EQ(sample.label_id, dataset.load(epoch, 0, SampleMode::train).label_id);
    ++drawn[sample.label_id];
  }
  ASSERT_EQ(drawn.size(), 3u);
  for (const auto& [label_id, times] : drawn) EXPECT_NEAR(times, 100, 35) << label_id;
  EXPECT_EQ(dataset.load(7, 0, SampleMode::test).label_id, 4) << "the first, in a test";
  EXPECT_EQ(ClipDataset(fake_list(3), options, fake_frames()).target_classes(), 0) << "one label each";
}

TEST(TrainingClip, AMirroredClipHasTheMirroredLabels) {
  auto options = fake_options();
  options.classes = 8;
  options.flip_labels = FlipLabels({0, 2, 1, 3, 4, 5, 7, 6});
  int mirrored = 0;
  for (const double flip : {0.0, 0.5, 1.0}) {
    options.transforms.flip = flip;
    for (const bool crops : {true, false}) {
      if (!crops) options.transforms.scales = {};
      const ClipDataset dataset(multi_label_list(), options, patterned_frames(40, 30));
      for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
        const auto sample = dataset.load(epoch, 0, SampleMode::train);
        const bool swapped = sample.label_ids == std::vector<std::int32_t>{4, 2, 7};
        EXPECT_TRUE(swapped || sample.label_ids == std::vector<std::int32_t>({4, 1, 6}));
        EXPECT_THAT(sample.label_ids, ::testing::Contains(sample.label_id));
        if (flip == 0 || flip == 1) {
          EXPECT_EQ(swapped, flip == 1);
        }
        mirrored += flip == 0.5 && swapped ? 1 : 0;
      }
      EXPECT_EQ(dataset.load(0, 0, SampleMode::test).label_ids, (std::vector<std::int32_t>{4, 1, 6}));
    }
    options.transforms.scales = TransformConfig().scales;
  }
  EXPECT_NEAR(mirrored, 40, 20);
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

// Workers that each bring a team of OpenMP's or OpenCV's threads would stand in each other's way.
TEST(TrainingClip, LoadingStartsNoThreads) {
  auto options = augmented_options();
  options.frames = 8;
  options.transforms.input_size = 224;
  options.transforms.test_resize = 256;
  options.crops = 10;
  at::set_num_threads(4);
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    options.transforms.interpolation = interpolation;
    const ClipDataset dataset(fake_list(3), options, noisy_frames(340, 256));
    std::ptrdiff_t before = 0, after = 0;
    std::thread([&] {
      before = threads_of_this_process();
      for (std::int64_t epoch = 0; epoch < 3; ++epoch) dataset.load(epoch, 0, SampleMode::train);
      dataset.load(0, 1, SampleMode::test);
      after = threads_of_this_process();
    }).join();
    EXPECT_EQ(after, before);
  }
  at::set_num_threads(1);
}

}  // namespace
}  // namespace actionclip
