#include "actionclip/core/joined_names.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(JoinedNames, AreAllOfFewAndTheFirstOfMany) {
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_EQ(joined_names(names, 3), "a, b, c");
  EXPECT_EQ(joined_names(names, 2), "a, b ...");
  EXPECT_EQ(joined_names({}, 2), "");
}

TEST(JoinedNames, SayThatThereAreMoreThanAreGiven) {
  const std::vector<std::string> names = {"a", "b"};
  EXPECT_EQ(joined_names(names, 2, 2), "a, b");
  EXPECT_EQ(joined_names(names, 2, 7), "a, b ...");
}

}  // namespace
}  // namespace actionclip
