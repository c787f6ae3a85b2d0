// A run's way from clips to steps: augmentation, repeats, mixing, and what is said of the time.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/trainer.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/temporary_folder.h"
#include "tests/train/trainer_case.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

TEST_F(TrainerTest, ARunEndsWithWhatLimitedItUnlessItIsShort) {
  auto own = experiment();
  own.train.epochs = 7;  // of 3 steps
  Trainer(own, options()).run();
  const auto summaries = records_of(folder_ / "run", "summary");
  ASSERT_EQ(summaries.size(), 1u);
  EXPECT_EQ(summaries[0].at("step").get<int>(), 21);
  EXPECT_THAT(summaries[0].at("advice").get<std::string>(), HasSubstr("limited the run: it "));
  EXPECT_LE(summaries[0].at("data_wait_fraction").get<double>(), 1);
  EXPECT_THAT(read_text(folder_ / "run/train.log"), HasSubstr("limited the run"));
  own.train.max_steps = 19;
  Trainer(own, {.output = folder_ / "short"}).run();
  EXPECT_TRUE(records_of(folder_ / "short", "summary").empty());
}

// Everything that is drawn for clips and batches, and three runs of which one is straight.
TEST_F(TrainerTest, AMixedAndAugmentedRunGoesOnBitForBit) {
  auto own = experiment();
  own.data.sampling.repeats = 2;
  own.data.transforms.rand_augment.operations = 2;
  own.data.transforms.color_jitter.probability = 0.8;
  own.data.transforms.erasing.probability = 0.5;
  own.train.mix = {.mixup_alpha = 0.8, .cutmix_alpha = 1};
  const auto run_to = [&](std::int64_t steps, std::int64_t workers, const TrainerOptions& options) {
    own.train.max_steps = steps;
    own.data.num_workers = workers;
    EXPECT_EQ(Trainer(own, options).run(), TrainOutcome::finished);
  };
  run_to(8, 0, {.output = folder_ / "straight"});
  run_to(8, 3, {.output = folder_ / "by workers"});
  run_to(4, 1, {.output = folder_ / "parted"});  // in mid-epoch: 6 steps have the 12 videos' 24 clips
  run_to(8, 2, {.output = folder_ / "parted", .resume = folder_ / "parted/checkpoints/last"});
  const auto losses = losses_of(folder_ / "straight");
  EXPECT_EQ(losses.size(), 8u);
  EXPECT_EQ(losses_of(folder_ / "by workers"), losses);
  EXPECT_EQ(losses_of(folder_ / "parted"), losses);
  own.data.sampling.repeats = 1;
  EXPECT_THAT(
      [&] {
        try {
          Trainer(own, {.output = folder_ / "parted", .resume = folder_ / "parted/checkpoints/last"});
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return std::string("no error");
      }(),
      HasSubstr("data.sampling.repeats"));
}

// A run whose clips are all mirrored, against one whose list has the mirrored labels.
TEST_F(TrainerTest, MirroredClipsAreLearntWithTheMirroredLabels) {
  std::string list;
  constexpr std::array<int, kLabels> kMirrored = {1, 0, 2, 3};
  for (int i = 0; i < kVideos; ++i)
    list += fmt::format("video {} {} {}\n", i, kFrames, kMirrored[static_cast<std::size_t>(i % kLabels)]);
  folder_.write("mirrored.txt", list);
  folder_.write("flip.csv", "label,flipped\nlabel 0,label 1\n");
  auto own = experiment();
  own.data.transforms.flip = 1;
  const auto losses = [&](const std::string& run) {
    Trainer(own, {.output = folder_ / run}).run();
    return losses_of(folder_ / run);
  };
  const auto unswapped = losses("as they are");
  own.data.transforms.flip_labels.path = folder_ / "flip.csv";
  const auto swapped = losses("swapped");
  own.data.transforms.flip_labels = {};
  own.data.train.list.path = folder_ / "mirrored.txt";
  EXPECT_EQ(losses("mirrored list"), swapped);
  EXPECT_NE(unswapped, swapped);
  folder_.write("flip.csv", "label,flipped\nlabel 0,label 9\n");
  own.data.transforms.flip_labels.path = folder_ / "flip.csv";
  EXPECT_THAT(error_of(own), HasSubstr("flip.csv:2"));
}

// Pixels of a training clip of the trainer that are of one colour.
std::int64_t count_pixels(const Trainer& trainer, std::int64_t red, std::int64_t green, std::int64_t blue) {
  const auto clip = trainer.train_data().load(0, 3, SampleMode::train).clip[0];
  const auto color = at::tensor(at::ArrayRef<std::int64_t>({red, green, blue}), at::kByte).view({1, 3, 1, 1});
  return clip.eq(color).all(1).sum().item<std::int64_t>();
}

TEST_F(TrainerTest, ErasedPixelsGetTheMeanOfTheModelInUseAlsoWhereItsWeightsTellIt) {
  auto own = experiment();
  own.data.transforms.erasing = {.probability = 1, .area = {0.2, 0.3}};
  const std::int64_t least = 2 * 16 * 16 / 10;  // of the clip's pixels, with room for rounding
  EXPECT_GT(count_pixels(Trainer(own, options()), 123, 117, 104), least) << "CLIP's";
  own.model.mean = {0.5, 0.5, 0.5};
  own.train.max_steps = 1;
  Trainer given(own, options());
  EXPECT_GT(count_pixels(given, 128, 128, 128), least);
  EXPECT_EQ(count_pixels(given, 123, 117, 104), 0);
  given.run();
  own.model.mean.reset();
  own.model.init = {.image = InitSource::weights, .text = InitSource::weights};
  own.model.weights.path = folder_ / "run/checkpoints/last";
  EXPECT_GT(count_pixels(Trainer(own, {.output = folder_ / "next"}), 128, 128, 128), least);
}

TEST_F(TrainerTest, ACheckpointFromBeforeThereWereRepeatsGoesOnWithOneAlone) {
  auto own = experiment();
  own.train.max_steps = 2;
  Trainer(own, options()).run();
  const auto last = folder_ / "run/checkpoints/last";
  auto state = load_checkpoint(last).state;
  ASSERT_EQ(state.at("run").erase("data.sampling.repeats"), 1u);
  save_state(folder_ / "run", 2, state);
  own.train.max_steps = 3;
  EXPECT_EQ(Trainer(own, {.output = folder_ / "run", .resume = last}).run(), TrainOutcome::finished);
  save_state(folder_ / "run", 2, state);
  own.data.sampling.repeats = 2;
  try {
    Trainer(own, {.output = folder_ / "run", .resume = folder_ / "run/checkpoints/step-2"});
    ADD_FAILURE() << "another number of repeats";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("data.sampling.repeats is 2, the checkpoint was made with 1"));
  }
}

TEST_F(TrainerTest, ARanksPartOfABatchMustBeWholePairsOfVideosToBeMixed) {
  auto own = experiment();
  own.train.batch_size = 6;
  own.train.mix.mixup_alpha = 1;
  EXPECT_EQ(error_of(own), "no error");
  make_singletons(own);
  const auto ranks = make_ranks(2);
  std::vector<std::string> errors(2);
  on_every_rank(2, [&](int rank) {
    try {
      Trainer(own, options(), ranks[rank]);
    } catch (const Error& error) {
      errors[rank] = error.what();
    }
  });
  for (const auto& error : errors) EXPECT_THAT(error, HasSubstr("train.mix: clips are mixed in pairs"));
}

}  // namespace
}  // namespace actionclip
