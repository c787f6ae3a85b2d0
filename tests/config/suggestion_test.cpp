#include "actionclip/config/suggestion.h"

#include <gtest/gtest.h>

namespace actionclip {
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

TEST(NearestName, PrefersFewerEditsThenTheSameBeginning) {
  EXPECT_EQ(nearest_name("bta1", {"beta2", "beta1"}), "beta1");
  EXPECT_EQ(nearest_name("beta", {"meta", "beta1"}), "beta1");
}

TEST(NearestName, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest_name("zzz", {"lr", "epochs"}), "");
  EXPECT_EQ(nearest_name("x", {"y"}), "");
  EXPECT_EQ(nearest_name("", {"lr"}), "");
  EXPECT_EQ(nearest_name("lr", {}), "");
  EXPECT_EQ(nearest_name(std::string(100000, 'x'), {"lr"}), "");
}

}  // namespace
}  // namespace actionclip
