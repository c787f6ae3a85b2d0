#include "config/suggestion.h"

#include <gtest/gtest.h>

namespace actionclip::detail {
namespace {

TEST(EditDistance, CountsInsertedDeletedReplacedAndSwappedLetters) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("epochs", "epoch"), 1u);
  EXPECT_EQ(edit_distance("epochs", "eppochs"), 1u);
  EXPECT_EQ(edit_distance("epochs", "epichs"), 1u);
  EXPECT_EQ(edit_distance("epochs", "epcohs"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(EditDistance, IgnoresLetterCaseAndDashes) { EXPECT_EQ(edit_distance("Batch-Size", "batch_size"), 0u); }

TEST(Nearest, PrefersFewerEditsThenTheSameBeginning) {
  EXPECT_EQ(nearest("bta1", {"beta2", "beta1"}), "beta1");
  EXPECT_EQ(nearest("beta", {"meta", "beta1"}), "beta1");
}

TEST(Nearest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("zzz", {"lr", "epochs"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest("", {"lr"}), "");
  EXPECT_EQ(nearest("lr", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), {"lr"}), "");
}

}  // namespace
}  // namespace actionclip::detail
