#include "actionclip/train/step_choices.h"

#include <set>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(ChooseClassTemplate, IsAFunctionOfSeedAndStepAndMeetsEveryTemplate) {
  std::set<std::int64_t> met;
  int same = 0;
  for (std::int64_t step = 0; step < 200; ++step) {
    const auto index = choose_class_template(7, step, 5);
    EXPECT_EQ(choose_class_template(7, step, 5), index);
    met.insert(index);
    same += index == choose_class_template(8, step, 5) ? 1 : 0;
  }
  EXPECT_EQ(met, (std::set<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_LT(same, 100);
}

TEST(ChooseModelSeed, DiffersByPartAndRankAndNothingElse) {
  std::set<std::uint64_t> seeds;
  for (std::int64_t part = 0; part < 10; ++part) {
    for (int rank = 0; rank < 4; ++rank) {
      EXPECT_EQ(choose_model_seed(7, part, rank), choose_model_seed(7, part, rank));
      seeds.insert(choose_model_seed(7, part, rank));
    }
  }
  EXPECT_EQ(seeds.size(), 40u);
  EXPECT_FALSE(seeds.contains(choose_model_seed(8, 0, 0)));
}

}  // namespace
}  // namespace actionclip
