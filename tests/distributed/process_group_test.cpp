#include "actionclip/distributed/process_group.h"

#include <string>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/distributed/agreement.h"
#include "actionclip/train/loss.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/parity/reference_files.h"

namespace actionclip {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(SingleProcess, ItsCollectivesLeaveEverythingAsItIs) {
  SingleProcess group;
  EXPECT_EQ(group.rank(), 0);
  EXPECT_EQ(group.world_size(), 1);
  const auto rows = at::arange(6).view({2, 3});
  EXPECT_TRUE(group.gather(rows).is_same(rows));
  auto values = at::tensor({1.5f, 2.0f});
  group.all_reduce_sum(values);
  group.broadcast({values});
  EXPECT_TRUE(at::equal(values, at::tensor({1.5f, 2.0f})));
  EXPECT_EQ(group.gather_texts("own"), std::vector<std::string>{"own"});
}

TEST(C10dGroup, ItsCollectivesBringTheRanksTogether) {
  for (const int world_size : {2, 3}) {
    const auto ranks = make_ranks(world_size);
    on_every_rank(world_size, [&](int rank) {
      auto& group = *ranks[rank];
      EXPECT_EQ(group.rank(), rank);
      EXPECT_EQ(group.world_size(), world_size);
      const auto gathered = group.gather(at::full({2, 1}, rank, at::kLong));
      EXPECT_TRUE(at::equal(gathered, at::arange(world_size).repeat_interleave(2).unsqueeze(1)));
      auto sum = at::full({}, rank + 1.0, at::kDouble);
      group.all_reduce_sum(sum);
      EXPECT_EQ(sum.item<double>(), world_size * (world_size + 1) / 2.0);
      const std::vector<at::Tensor> values = {at::full({3}, rank), at::full({2, 2}, rank + 0.5f)};
      group.broadcast(values);
      EXPECT_TRUE(at::equal(values[0], at::full({3}, 0)));
      EXPECT_TRUE(at::equal(values[1], at::full({2, 2}, 0.5f)));
      std::vector<std::string> expected;
      for (int other = 0; other < world_size; ++other) expected.emplace_back(other * 3, 'x');
      EXPECT_EQ(group.gather_texts(std::string(rank * 3, 'x')), expected);
    });
  }
}

TEST(CountMachineRanks, CountsThoseOfThisHost) {
  SingleProcess alone;
  EXPECT_EQ(count_machine_ranks(alone), 1);
  const auto ranks = make_ranks(3);
  on_every_rank(3, [&](int rank) { EXPECT_EQ(count_machine_ranks(*ranks[rank]), 3); });
}

// What the training step relies on, for parameters that see a rank's own rows (the towers) and for one that
// sees all (logit_scale).
TEST(C10dGroup, GatheredFeaturesAndReducedGradientsGiveTheGradientsOfTheWholeBatch) {
  at::manual_seed(1);
  const auto videos = at::randn({12, 5}), texts = at::randn({12, 5}), weight = at::randn({5, 4});
  const auto label_ids = at::tensor({0, 1, 0, 2, 1, 3, 0, 5, 6, 6, 1, 2}, at::kLong);
  const auto soft = at::softmax(3 * at::randn({12, 7}), 1);
  struct Case {
    LossTarget target;
    at::Tensor targets;
  };
  for (const auto& [target, targets] :
       {Case{LossTarget::softmax, {}}, Case{LossTarget::normalized, {}}, Case{LossTarget::identity, {}},
        Case{LossTarget::softmax, soft}, Case{LossTarget::normalized, soft}}) {
    const auto gradients_of = [&](ProcessGroup& group) {
      const std::int64_t count = 12 / group.world_size();
      const auto own = [&](const at::Tensor& rows) { return rows.narrow(0, group.rank() * count, count); };
      const BatchLabels labels(own(label_ids), targets.defined() ? own(targets) : at::Tensor());
      const auto projection = weight.clone().requires_grad_();
      const auto logit_scale = at::full({}, 1.5).requires_grad_();
      const auto reducer = group.make_reducer({projection, logit_scale});
      const auto loss =
          contrastive_loss(at::matmul(own(videos), projection), at::matmul(own(texts), projection),
                           logit_scale, labels, target, group);
      reducer->backward(loss, /*last=*/true);
      auto sum = loss.detach().clone();
      group.all_reduce_sum(sum);
      return std::vector<at::Tensor>{projection.grad().clone(), logit_scale.grad().clone(),
                                     sum / group.world_size()};
    };
    SingleProcess alone;
    const auto expected = gradients_of(alone);
    for (const int world_size : {2, 3, 4}) {
      const auto ranks = make_ranks(world_size);
      on_every_rank(world_size, [&](int rank) {
        const auto actual = gradients_of(*ranks[rank]);
        for (std::size_t i = 0; i < expected.size(); ++i)
          EXPECT_LT(relative_error(actual[i], expected[i]), 1e-5);
      });
    }
  }
}

TEST(C10dGroup, GradientsAddUpOverThePartsBeforeTheyAreReduced) {
  const auto ranks = make_ranks(2);
  on_every_rank(2, [&](int rank) {
    const auto parameter = at::ones({2}).requires_grad_();
    const auto reducer = ranks[rank]->make_reducer({parameter});
    for (int step = 0; step < 3; ++step) {
      if (parameter.grad().defined()) parameter.mutable_grad().zero_();
      reducer->backward((parameter * (rank + 1)).sum(), /*last=*/false);
      reducer->backward((parameter * 10 * (rank + 1)).sum(), /*last=*/true);
      EXPECT_TRUE(at::equal(parameter.grad(), at::full({2}, 16.5f))) << parameter.grad();
    }
  });
}

// Else a run that is resumed would not go on bit for bit.
TEST(C10dGroup, AReducerRoundsInItsFirstStepAsInTheNext) {
  const auto ranks = make_ranks(4);
  on_every_rank(4, [&](int rank) {
    auto random = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rank));
    const std::vector<at::Tensor> rows = {at::randn({1000}, random), at::randn({3000}, random)};
    const std::vector<at::Tensor> parameters = {at::ones({1000}).requires_grad_(),
                                                at::ones({3000}).requires_grad_()};
    const auto reducer = ranks[rank]->make_reducer(parameters);
    std::vector<std::vector<at::Tensor>> steps(3);
    for (auto& gradients : steps) {
      auto loss = (parameters[0] * rows[0]).sum();
      loss = loss + (parameters[1] * rows[1]).sum();  // whose gradient comes first
      reducer->backward(loss, /*last=*/true);
      for (const auto& parameter : parameters) {
        gradients.push_back(parameter.grad().clone());
        parameter.mutable_grad().zero_();
      }
    }
    for (const auto& gradients : steps) {
      for (std::size_t i = 0; i < parameters.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], steps[0][i]));
    }
  });
}

TEST(C10dGroup, ARankThatIsLateIsToldFromOneThatIsGone) {
  auto ranks = make_ranks(2, {.collective_timeout = 2});
  ranks[0]->enter("step 7");
  auto values = at::ones({1});
  try {
    ranks[0]->all_reduce_sum(values);  // rank 1 does not come
    FAIL() << "no error";
  } catch (const CollectiveError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("rank 0 of 2, step 7: sum over the ranks failed"),
                                    HasSubstr("all ranks are alive")));
  }
}

TEST(C10dGroup, ARankThatIsGoneIsNamed) {
  auto ranks = make_ranks(3, {.collective_timeout = 2});
  ranks[2].reset();
  on_every_rank(2, [&](int rank) {
    auto values = at::ones({1});
    try {
      ranks[rank]->all_reduce_sum(values);
      ADD_FAILURE() << "no error";
    } catch (const CollectiveError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("no longer answering: rank 2"), Not(HasSubstr("GLHF"))));
    }
  });
}

// Its message would else blame those that noticed first, whose beat has ended as well.
TEST(C10dGroup, ARankThatGaveUpBecauseOfAnotherIsNotNamed) {
  auto ranks = make_ranks(3, {.collective_timeout = 2});
  ranks[2].reset();
  for (const int rank : {0, 1}) {
    auto values = at::ones({1});
    try {
      ranks[rank]->all_reduce_sum(values);
      FAIL() << "no error";
    } catch (const CollectiveError& error) {
      EXPECT_THAT(error.what(), EndsWith("no longer answering: rank 2"));
    }
  }
}

TEST(C10dGroup, RanksThatDoNotComeAreNamed) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  try {
    C10dGroup(store, {.rank = 1, .world_size = 4, .address = "127.0.0.1"}, {.meeting_timeout = 1});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("rank 0, 2, 3 did not come within 1 s"), HasSubstr("meeting_timeout")));
  }
}

TEST(RequireAgreement, NamesWhatDiffersAndOnWhichRanks) {
  const auto ranks = make_ranks(3);
  on_every_rank(3, [&](int rank) {
    const auto facts = [&](const std::string& list) {
      return std::map<std::string, std::string>{{"configuration", "a"}, {"training list", list}};
    };
    EXPECT_NO_THROW(require_agreement(*ranks[rank], facts("same")));
    try {
      require_agreement(*ranks[rank], facts(rank == 2 ? "other" : "same"));
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("another training list on rank 2"), Not(HasSubstr("configuration"))));
    }
  });
}

}  // namespace
}  // namespace actionclip
