// Where the text encoder takes its feature: at the largest token, or at the first of a given id.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/text_transformer.h"

namespace actionclip {
namespace {

constexpr std::int64_t kVocabulary = 20, kEnd = 2;

TextTransformerConfig sizes(std::int64_t end_token) {
  return {.context_length = 8,
          .vocabulary_size = kVocabulary,
          .width = 64,
          .layers = 2,
          .heads = 2,
          .output_dim = 32,
          .end_token = end_token};
}

// With the tokens of the largest id and of kEnd exchanged, both encoders say the same.
TEST(TextEnd, AnEncoderOfAGivenEndEqualsOneOfTheLargestTokenWhoseIdsAreExchanged) {
  const at::NoGradGuard no_grad;
  at::manual_seed(3);
  TextTransformer largest(sizes(kLargestToken)), given(sizes(kEnd));
  auto source = largest->named_parameters();
  for (auto& parameter : given->named_parameters()) parameter.value().copy_(source[parameter.key()]);
  auto& rows = given->token_embedding->weight;
  const auto exchanged = rows.clone();
  rows[kEnd].copy_(exchanged[kVocabulary - 1]);
  rows[kVocabulary - 1].copy_(exchanged[kEnd]);

  const auto with_ends = [](std::int64_t end, std::int64_t other) {
    return at::tensor({4,
                       5,
                       static_cast<int>(other),
                       6,
                       static_cast<int>(end),
                       0,
                       0,
                       0,  //
                       static_cast<int>(end),
                       7,
                       8,
                       0,
                       0,
                       0,
                       0,
                       0,  //
                       1,
                       9,
                       10,
                       11,
                       12,
                       13,
                       14,
                       static_cast<int>(end)},
                      at::kLong)
        .view({3, 8});
  };
  const auto expected = largest(with_ends(kVocabulary - 1, kEnd));
  const auto found = given(with_ends(kEnd, kVocabulary - 1));
  EXPECT_TRUE(at::allclose(found, expected, 1e-4, 1e-5));
}

TEST(TextEnd, OfSeveralEndsTheFirstCounts) {
  const at::NoGradGuard no_grad;
  TextTransformer encoder(sizes(kEnd));
  const auto once = at::tensor({1, 5, 2, 0, 0}, at::kLong).view({1, 5});
  const auto padded_with_ends = at::tensor({1, 5, 2, 2, 2}, at::kLong).view({1, 5});
  EXPECT_TRUE(at::allclose(encoder(once), encoder(padded_with_ends), 1e-4, 1e-5));
}

TEST(TextEnd, ARowWithoutTheEndIsAnError) {
  TextTransformer encoder(sizes(kEnd));
  EXPECT_THROW(encoder(at::tensor({1, 2, 0, 1, 5, 0}, at::kLong).view({2, 3})), c10::Error);
}

}  // namespace
}  // namespace actionclip
