// Running statistics of batch normalisation in training with several ranks.

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/train/learner.h"
#include "actionclip/weights/initialize.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

ActionClip make_resnet() {
  auto sizes = small_sizes();
  sizes.vision = {.image_size = 32, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 1, 1, 1}};
  return ActionClip(sizes);
}

StateDict statistics_of(const ActionClip& model) {
  StateDict result;
  for (const auto& buffer : model->named_buffers()) result.emplace(buffer.key(), buffer.value().clone());
  return result;
}

void expect_same(const StateDict& actual, const StateDict& expected) {
  EXPECT_FALSE(expected.empty());
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(at::equal(actual.at(name), tensor)) << name;
}

TEST(SharedStatistics, EveryRankHasThoseOfTheFirst) {
  at::manual_seed(1);
  std::vector<Learner> learners;
  std::vector<TrainBatch> batches;
  for (int rank = 0; rank < 2; ++rank) {
    learners.emplace_back(make_resnet(), TrainConfig{}, /*fix_text=*/false, c10::kCPU);
    for (const auto& buffer : learners.back().model()->buffers()) buffer.fill_(rank + 1);
    batches.push_back({.clips = at::randn({2, 4, 3, 32, 32}),
                       .tokens = at::tensor({1, 3, 19, 0, 1, 5, 19, 0}, at::kLong).view({2, 4}),
                       .label_ids = at::tensor({0, 1}, at::kLong)});
  }
  const auto at_start = statistics_of(learners[0].model());
  const auto ranks = make_ranks(2);
  on_every_rank(2, [&](int rank) { learners[rank].join(ranks[rank]); });
  for (auto& learner : learners) expect_same(statistics_of(learner.model()), at_start);

  on_every_rank(2, [&](int rank) { learners[rank].step(1e-4, [&] { return batches[rank]; }); });
  expect_same(statistics_of(learners[1].model()), statistics_of(learners[0].model()));
  EXPECT_FALSE(at::equal(statistics_of(learners[0].model()).at("visual.bn1.running_mean"),
                         at_start.at("visual.bn1.running_mean")));
}

}  // namespace
}  // namespace actionclip
