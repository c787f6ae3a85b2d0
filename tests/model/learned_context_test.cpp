// Where the vectors of a learned context stand, and what learns from them.
#include "actionclip/model/learned_context.h"

#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

constexpr std::int64_t kWidth = 5;

at::Tensor positions_of_two_texts() { return at::tensor({1, 3, 0, 1}, at::kLong).view({2, 2}); }

TEST(PlaceholdersOf, TheMiddleTakesTheSmallerHalfBeforeTheLabel) {
  const auto around = [](std::int64_t length, ContextPosition position) {
    const auto placeholders = placeholders_of({.length = length, .position = position});
    return std::vector{placeholders.before, placeholders.behind};
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(around(5, ContextPosition::begin), ElementsAre(5, 0));
  EXPECT_THAT(around(5, ContextPosition::middle), ElementsAre(2, 3));
  EXPECT_THAT(around(4, ContextPosition::middle), ElementsAre(2, 2));
  EXPECT_THAT(around(1, ContextPosition::middle), ElementsAre(0, 1));
  EXPECT_THAT(around(5, ContextPosition::end), ElementsAre(0, 5));
  EXPECT_EQ(placeholders_of({}).count(), 0);
}

TEST(LearnedContext, SharedVectorsStandInEveryTextAndAllElseStaysAsItIs) {
  LearnedContext context(LearnedContextConfig{.length = 2}, kWidth);
  ASSERT_EQ(context->vectors.sizes(), (std::vector<std::int64_t>{2, kWidth}));
  const auto embeddings = at::randn({2, 4, kWidth});
  auto expected = embeddings.clone();
  const auto vectors = context->vectors.detach();
  for (const auto& place : {expected[0][1], expected[1][0]}) place.copy_(vectors[0]);
  for (const auto& place : {expected[0][3], expected[1][1]}) place.copy_(vectors[1]);
  const auto before = embeddings.clone();
  EXPECT_TRUE(at::equal(context(embeddings, positions_of_two_texts(), at::Tensor()), expected));
  EXPECT_TRUE(at::equal(embeddings, before));
}

TEST(LearnedContext, ClassSpecificVectorsAreThoseOfTheTextsLabel) {
  LearnedContext context(LearnedContextConfig{.length = 2, .classes = 3}, kWidth);
  ASSERT_EQ(context->vectors.sizes(), (std::vector<std::int64_t>{3, 2, kWidth}));
  const auto out =
      context(at::zeros({2, 4, kWidth}), positions_of_two_texts(), at::tensor({2, 0}, at::kLong));
  EXPECT_TRUE(at::equal(out[0][1], context->vectors[2][0]));
  EXPECT_TRUE(at::equal(out[0][3], context->vectors[2][1]));
  EXPECT_TRUE(at::equal(out[1][0], context->vectors[0][0]));
  EXPECT_TRUE(at::equal(out[1][1], context->vectors[0][1]));
  out.sum().backward();
  const auto gradient = context->vectors.grad();
  EXPECT_TRUE(at::equal(gradient[2], at::ones({2, kWidth})));
  EXPECT_TRUE(at::equal(gradient[0], at::ones({2, kWidth})));
  EXPECT_TRUE(at::equal(gradient[1], at::zeros({2, kWidth}))) << "no text of this label";
}

// The tokens that stand at the places are of no text: nothing of them may learn.
TEST(LearnedContext, GradientsGoToTheVectorsAtTheirPlacesAndToTheTokensElsewhere) {
  LearnedContext context(LearnedContextConfig{.length = 2}, kWidth);
  const auto embeddings = at::randn({2, 4, kWidth}).requires_grad_();
  const auto weights = at::randn({2, 4, kWidth});
  (context(embeddings, positions_of_two_texts(), at::Tensor()) * weights).sum().backward();
  EXPECT_TRUE(at::allclose(context->vectors.grad()[0], weights[0][1] + weights[1][0]));
  EXPECT_TRUE(at::allclose(context->vectors.grad()[1], weights[0][3] + weights[1][1]));
  auto expected = weights.clone();
  for (const auto& place : {expected[0][1], expected[0][3], expected[1][0], expected[1][1]}) place.zero_();
  EXPECT_TRUE(at::equal(embeddings.grad(), expected));
}

TEST(LearnedContext, FreshVectorsAreAsSmallAsTokenEmbeddings) {
  at::manual_seed(3);
  LearnedContext context(LearnedContextConfig{.length = 100}, 64);
  EXPECT_NEAR(context->vectors.mean().item<double>(), 0, 0.002);
  EXPECT_NEAR(context->vectors.std().item<double>(), 0.02, 0.002);
}

TEST(LearnedContext, AStartFromTokensIsThatOfEveryLabel) {
  const auto table = at::randn({7, kWidth});
  LearnedContext shared(LearnedContextConfig{.length = 2}, kWidth);
  shared->start_from(table, {6, 1});
  EXPECT_TRUE(at::equal(shared->vectors, at::stack({table[6], table[1]})));
  EXPECT_TRUE(shared->vectors.requires_grad());
  LearnedContext specific(LearnedContextConfig{.length = 2, .classes = 3}, kWidth);
  specific->start_from(table, {6, 1});
  for (int label = 0; label < 3; ++label)
    EXPECT_TRUE(at::equal(specific->vectors[label], shared->vectors)) << label;
  EXPECT_THROW(shared->start_from(table, {6}), c10::Error);
}

TEST(LearnedContext, PlacesForAnotherNumberOfVectorsAreRefused) {
  LearnedContext context(LearnedContextConfig{.length = 3}, kWidth);
  EXPECT_THROW(context(at::zeros({2, 4, kWidth}), positions_of_two_texts(), at::Tensor()), c10::Error);
}

}  // namespace
}  // namespace actionclip
