#include "actionclip/distributed/process_group.h"

#include <vector>

#include <gtest/gtest.h>

#include "actionclip/train/gradients.h"
#include "actionclip/train/loss.h"

#include "tests/distributed/thread_group.h"
#include "tests/parity/reference_files.h"

namespace actionclip {
namespace {

TEST(SingleProcess, ItsCollectivesLeaveEverythingAsItIs) {
  SingleProcess group;
  EXPECT_EQ(group.rank(), 0);
  EXPECT_EQ(group.world_size(), 1);
  const auto rows = at::arange(6).view({2, 3});
  EXPECT_TRUE(group.gather(rows).is_same(rows));
  auto values = at::tensor({1.5f, 2.0f});
  group.all_reduce_sum(values);
  average_gradients({values}, group);
  EXPECT_TRUE(at::equal(values, at::tensor({1.5f, 2.0f})));
}

TEST(AverageGradients, EveryRankGetsTheMeanInPlace) {
  const auto ranks = make_ranks(2);
  const std::vector<std::vector<at::Tensor>> gradients = {
      {at::tensor({1.0f, 2.0f}), at::full({1, 1}, 8.0f)},
      {at::tensor({3.0f, 2.0f}), at::full({1, 1}, -4.0f)}};
  on_every_rank(ranks, [&](int rank) { average_gradients(gradients[rank], *ranks[rank]); });
  for (const auto& mean : gradients) {
    EXPECT_TRUE(at::equal(mean[0], at::tensor({2.0f, 2.0f})));
    EXPECT_TRUE(at::equal(mean[1], at::full({1, 1}, 2.0f)));
  }
}

// What the training step relies on, for parameters that see a rank's own rows (the towers) and for one that
// sees all (logit_scale).
TEST(ProcessGroup, GatheredFeaturesAndAveragedGradientsGiveTheGradientsOfTheWholeBatch) {
  at::manual_seed(1);
  const auto videos = at::randn({6, 5}), texts = at::randn({6, 5}), weight = at::randn({5, 4});
  const auto label_ids = at::tensor({0, 1, 0, 2, 1, 3}, at::kLong);
  const auto gradients_of = [&](ProcessGroup& group) {
    const std::int64_t count = 6 / group.world_size();
    const auto own = [&](const at::Tensor& rows) { return rows.narrow(0, group.rank() * count, count); };
    const auto projection = weight.clone().requires_grad_();
    const auto logit_scale = at::full({}, 1.5).requires_grad_();
    const auto video = group.gather(at::matmul(own(videos), projection));
    const auto text = group.gather(at::matmul(own(texts), projection));
    contrastive_loss(video, text, logit_scale, group.gather(own(label_ids)), LossTarget::softmax).backward();
    const std::vector<at::Tensor> gradients = {projection.grad(), logit_scale.grad()};
    average_gradients(gradients, group);
    return gradients;
  };
  SingleProcess alone;
  const auto expected = gradients_of(alone);
  for (const int world_size : {2, 3}) {
    const auto ranks = make_ranks(world_size);
    std::vector<std::vector<at::Tensor>> gradients(ranks.size());
    on_every_rank(ranks, [&](int rank) { gradients[rank] = gradients_of(*ranks[rank]); });
    for (const auto& of_rank : gradients) {
      EXPECT_LT(relative_error(of_rank[0], expected[0]), 1e-4);
      EXPECT_LT(relative_error(of_rank[1], expected[1]), 1e-4);
    }
  }
}

}  // namespace
}  // namespace actionclip
