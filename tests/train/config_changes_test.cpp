#include "train/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/train/experiment.h"

namespace actionclip {
namespace {

TEST(ConfigChanges, NamesEachValueThatDiffersByItsPath) {
  EXPECT_THAT(config_changes("a: 1\nb: {c: x, d: [1, 2]}\n", "a: 1\nb: {c: y, d: [1, 3]}\ne: 5\n"),
              testing::ElementsAre("b.c: x -> y", "b.d: [1, 2] -> [1, 3]", "e: nothing -> 5"));
}

TEST(ConfigChanges, AnExperimentDiffersFromItselfInNothing) {
  Experiment experiment;
  const auto before = to_yaml(experiment);
  EXPECT_THAT(config_changes(before, before), testing::IsEmpty());
  experiment.train.lr = 0.5;
  EXPECT_THAT(config_changes(before, to_yaml(experiment)),
              testing::ElementsAre(testing::MatchesRegex("train.lr: .* -> 0.5")));
}

}  // namespace
}  // namespace actionclip
