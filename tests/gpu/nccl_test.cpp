// The ranks' collectives over NCCL: one rank on one GPU; two ranks, threads of the test, where there are two.

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/distributed/gloo_ranks.h"
#include "tests/gpu/gpu_test.h"
#include "tests/parity/reference_files.h"

namespace actionclip {
namespace {

constexpr int kSteps = 10;

c10::Device gpu(int index) { return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)}; }

class Nccl : public GpuTest {
 protected:
  // Rank `rank` on the GPU of its number.
  std::shared_ptr<C10dGroup> make_rank(int rank, int world_size) {
    return std::make_shared<C10dGroup>(
        store_,
        RankPlace{.rank = rank, .world_size = world_size, .device = gpu(rank), .address = "127.0.0.1"},
        DistributedConfig{.collective_timeout = 60});
  }

 private:
  const c10::intrusive_ptr<c10d::Store> store_ = c10::make_intrusive<c10d::HashStore>();
};

TEST_F(Nccl, TheGatherOfOneRankGivesItsRowsAndTheirGradient) {
  const auto group = make_rank(0, 1);
  const auto rows = at::randn({4, 3}, kGpu).requires_grad_();
  const auto weight = at::randn({4, 3}, kGpu);
  const auto gathered = group->gather(rows);
  EXPECT_TRUE(at::equal(gathered, rows));
  (gathered * weight).sum().backward();
  EXPECT_TRUE(at::equal(rows.grad(), weight));
}

// Tensors of the CPU take the way over Gloo.
TEST_F(Nccl, SumAndBroadcastOfOneRankLeaveTheValuesAsTheyAre) {
  const auto group = make_rank(0, 1);
  for (const auto device : {kGpu, c10::Device(c10::kCPU)}) {
    const auto expected = at::randn({5}, device);
    auto values = expected.clone();
    group->all_reduce_sum(values);
    EXPECT_TRUE(at::equal(values, expected));
    group->broadcast({values});
    EXPECT_TRUE(at::equal(values, expected));
  }
  EXPECT_EQ(group->gather_texts("own"), std::vector<std::string>{"own"});
  EXPECT_GE(group->communication_seconds(), 0);
}

TEST_F(Nccl, TenStepsOfOneRankEqualThoseWithoutRanks) {
  for (const bool checkpointing : {false, true}) {
    auto config = small_training();
    config.activation_checkpointing = checkpointing;
    auto alone = make_learner(config, kGpu);
    auto learner = make_learner(config, kGpu);
    const auto group = make_rank(0, 1);
    learner.join(group);
    const auto reports = take_steps(learner, kSteps);
    expect_near(losses_of(reports), losses_of(take_steps(alone, kSteps)), 1e-5);
    for (const auto& report : reports) {
      ASSERT_EQ(report.communication.size(), 1u);
      EXPECT_GE(report.communication[0], 0);
    }
    EXPECT_GT(group->communication_seconds(), 0);
  }
}

// The videos of each rank, in rank order, are those of the one rank.
TEST_F(Nccl, TenStepsOfTwoRanksEqualThoseOfOne) {
  if (count_gpus() < 2) GTEST_SKIP() << "needs two GPUs; this machine has one";
  const auto whole = make_batch();
  auto alone = make_learner(small_training(), kGpu);
  const auto expected = losses_of(take_steps(alone, kSteps, whole));
  std::vector<Learner> learners;  // made one after another: they share a source of random numbers
  for (int rank = 0; rank < 2; ++rank) learners.push_back(make_learner(small_training(), gpu(rank)));
  std::vector<std::vector<double>> losses(2);
  on_every_rank(2, [&](int rank) {
    const auto own = [&](const at::Tensor& rows) { return rows.narrow(0, rank * 4, 4); };
    const TrainBatch batch = {
        .clips = own(whole.clips), .tokens = own(whole.tokens), .label_ids = own(whole.label_ids)};
    auto& learner = learners[static_cast<std::size_t>(rank)];
    learner.join(make_rank(rank, 2));
    losses[static_cast<std::size_t>(rank)] = losses_of(take_steps(learner, kSteps, batch));
  });
  for (const auto& of_rank : losses) expect_near(of_rank, expected, 1e-4);
}

}  // namespace
}  // namespace actionclip
