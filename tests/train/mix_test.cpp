// Mixed clips and targets: against torchvision's, and the same whatever workers, ranks and resumption.

#include "actionclip/train/mix.h"

#include <array>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/loader.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/video/fake_videos.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr double kHalfStep = 0.5 + 1e-3;  // of bytes that are rounded

TEST(MixParity, ClipsAndTargetsEqualTorchvisions) {
  const TemporaryFolder folder;
  run_python("mix_reference.py", {folder.path().string()});
  const auto reference = read_tensors(folder / "case.safetensors");
  const auto clips = reference.at("clips");
  const auto targets = at::one_hot(reference.at("labels"), 6).to(at::kFloat);
  for (const std::int64_t repeats : {1, 2}) {
    for (int i = 0; i < 6; ++i) {
      const auto named = [&](const char* kind, const char* what) {
        return reference.at(fmt::format("{}.{}.{}.{}", kind, repeats, i, what));
      };
      const auto drawn = named("mixup", "drawn");
      const MixChoice mixup{.share = drawn[0].item<double>()};
      SCOPED_TRACE(fmt::format("repeats {}, share {}", repeats, mixup.share));
      const auto mixed = mix_clips(clips, mixup, repeats);
      EXPECT_EQ(mixed.scalar_type(), at::kByte);
      EXPECT_LE((mixed.to(at::kFloat) - named("mixup", "clips")).abs().max().item<double>(), kHalfStep);
      EXPECT_LT(relative_error(mix_clips(clips.to(at::kFloat), mixup, repeats), named("mixup", "clips")),
                1e-6);
      EXPECT_LT(relative_error(mix_targets(targets, mixup, repeats), named("mixup", "targets")), 1e-6);

      const auto cutmix = cutmix_choice(mixup.share, drawn[1].item<std::int64_t>(),
                                        drawn[2].item<std::int64_t>(), clips.size(-1), clips.size(-2));
      EXPECT_TRUE(at::equal(mix_clips(clips, cutmix, repeats), named("cutmix", "clips")));
      EXPECT_LT(relative_error(mix_targets(targets, cutmix, repeats), named("cutmix", "targets")), 1e-6);
    }
  }
}

TEST(Mix, OneThatKeepsAllChangesNothingAndOneThatKeepsNothingSwapsPartners) {
  const auto clips = at::randint(0, 256, {4, 2, 3, 8, 8}, at::kByte);
  EXPECT_TRUE(at::equal(mix_clips(clips, {.share = 1}, 1), clips));
  const auto swapped = clips.index_select(0, at::tensor({1, 0, 3, 2}, at::kLong));
  EXPECT_TRUE(at::equal(mix_clips(clips, {.share = 0}, 1), swapped));
  EXPECT_TRUE(at::equal(mix_clips(clips, cutmix_choice(0, 4, 4, 8, 8), 1), swapped));
}

TEST(Mix, ClipsOfOneVideoAreNoPartners) {
  const auto rows = at::arange(8, at::kFloat).view({8, 1});
  const auto partners = mix_targets(rows, {.share = 0}, /*repeats=*/2).flatten();
  EXPECT_TRUE(at::equal(partners, at::tensor({2, 3, 0, 1, 6, 7, 4, 5}, at::kFloat)));
}

TEST(Mix, RowsThatAreNoWholePairsAreRefused) {
  const auto error_of = [](std::int64_t rows, std::int64_t repeats) -> std::string {
    try {
      mix_targets(at::zeros({rows, 3}), {.share = 0.5}, repeats);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of(3, 1), HasSubstr("3 clips"));
  EXPECT_THAT(error_of(6, 2), HasSubstr("multiple of 4"));
  EXPECT_EQ(error_of(8, 2), "no error");
}

TEST(Mix, PlainLabelsBecomeTargetsThatSumUpToOne) {
  TrainBatch batch{.clips = at::randint(0, 256, {4, 2, 3, 8, 8}, at::kByte),
                   .tokens = {},
                   .label_ids = at::tensor({0, 2, 1, 1}, at::kLong)};
  mix(batch, {.share = 0.75}, /*repeats=*/1, /*classes=*/3);
  const auto expected =
      at::tensor({0.75, 0.0, 0.25, 0.25, 0.0, 0.75, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0}, at::kFloat).view({4, 3});
  EXPECT_TRUE(at::allclose(batch.targets, expected));
  mix(batch, {.share = 0.5}, 1, 3);
  EXPECT_TRUE(at::allclose(batch.targets.sum(1), at::ones({4}))) << "targets that are there are mixed";
}

// A training epoch, each batch mixed as its part of a step is.
std::vector<TrainBatch> mixed_epoch(const ClipDataset& dataset, LoaderOptions options,
                                    std::int64_t first_batch = 0) {
  const MixConfig config{.mixup_alpha = 0.8, .cutmix_alpha = 1};
  Loader loader(dataset, options);
  loader.start_epoch(1, first_batch);
  std::vector<TrainBatch> batches;
  for (std::int64_t part = first_batch; auto batch = loader.next(); ++part) {
    batches.push_back({.clips = batch->clips.squeeze(1), .tokens = {}, .label_ids = batch->label_ids});
    const auto choice = choose_mix(config, 16, 16, options.seed, part);
    if (choice.mixes()) mix(batches.back(), choice, dataset.repeats(SampleMode::train), 64);
  }
  return batches;
}

void expect_rows(const TrainBatch& part, const TrainBatch& whole, std::int64_t begin) {
  const auto rows = part.clips.size(0);
  EXPECT_TRUE(at::equal(part.clips, whole.clips.narrow(0, begin, rows)));
  EXPECT_TRUE(at::equal(part.label_ids, whole.label_ids.narrow(0, begin, rows)));
  ASSERT_TRUE(part.targets.defined() && whole.targets.defined());
  EXPECT_TRUE(at::equal(part.targets, whole.targets.narrow(0, begin, rows)));
}

TEST(Mix, ABatchIsTheSameForAnyWorkersRanksAndAfterAResumption) {
  for (const std::int64_t repeats : {1, 2}) {
    auto options = augmented_options();
    options.sampling.repeats = repeats;
    const ClipDataset dataset(fake_list(16), options, noisy_frames(40, 30));
    LoaderOptions loading{
        .batch_size = 8, .workers = 0, .prefetch = 2, .seed = 3, .shuffle = true, .drop_last = true};
    const auto whole = mixed_epoch(dataset, loading);
    ASSERT_EQ(whole.size(), 2u * static_cast<std::size_t>(repeats));
    for (const std::int64_t workers : {1, 4}) {
      loading.workers = workers;
      const auto batches = mixed_epoch(dataset, loading);
      ASSERT_EQ(batches.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) expect_rows(batches[i], whole[i], 0);
      const auto rest = mixed_epoch(dataset, loading, /*first_batch=*/1);
      ASSERT_EQ(rest.size() + 1, whole.size());
      for (std::size_t i = 0; i < rest.size(); ++i) expect_rows(rest[i], whole[i + 1], 0);
    }
    loading.world_size = 2;
    for (loading.rank = 0; loading.rank < 2; ++loading.rank) {
      const auto batches = mixed_epoch(dataset, loading);
      ASSERT_EQ(batches.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) expect_rows(batches[i], whole[i], 4 * loading.rank);
    }
  }
}

}  // namespace
}  // namespace actionclip
