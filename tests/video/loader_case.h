// Epochs of a loader, for its tests.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/video/loader.h"

namespace actionclip {

inline std::vector<Batch> epoch_of(const ClipDataset& dataset, const LoaderOptions& options,
                                   std::int64_t epoch = 0, std::int64_t first_batch = 0) {
  Loader loader(dataset, options);
  loader.start_epoch(epoch, first_batch);
  std::vector<Batch> batches;
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  EXPECT_FALSE(loader.next().has_value()) << "an epoch that ended stays ended";
  return batches;
}

inline void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.captions, b.captions);
  EXPECT_EQ(a.errors, b.errors);
  EXPECT_TRUE(at::equal(a.label_ids, b.label_ids));
  EXPECT_TRUE(at::equal(a.clips, b.clips));
}

inline std::vector<std::int64_t> indices_of(const std::vector<Batch>& batches) {
  std::vector<std::int64_t> indices;
  for (const auto& batch : batches) indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  return indices;
}

inline LoaderOptions training_options() {
  return {.batch_size = 4,
          .workers = 0,
          .prefetch = 2,
          .seed = 3,
          .rank = 0,
          .world_size = 1,
          .shuffle = true,
          .drop_last = true,
          .mode = SampleMode::train,
          .pin_memory = false};
}

inline LoaderOptions test_options(std::int64_t batch_size) {
  return {.batch_size = batch_size,
          .workers = 2,
          .prefetch = 2,
          .seed = 3,
          .rank = 0,
          .world_size = 1,
          .shuffle = false,
          .drop_last = false,
          .mode = SampleMode::test,
          .pin_memory = false};
}

}  // namespace actionclip
