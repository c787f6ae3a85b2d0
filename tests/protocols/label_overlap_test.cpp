#include "actionclip/protocols/label_overlap.h"

#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const LabelSet& trained() {
  static const LabelSet set({"playing guitar", "archery", "hula hooping", "C++", "archery!"});
  return set;
}

const LabelSet& labels() {
  static const LabelSet set({"PlayingGuitar", "HulaHoop", "Archery", "knitting", "C"});
  return set;
}

TEST(LabelOverlap, PlantedNamesAreFoundHoweverTheyAreWritten) {
  EXPECT_THAT(same_labels(labels(), trained()),
              ElementsAre(LabelPair{0, 0, 1}, LabelPair{2, 1, 1}, LabelPair{4, 3, 1}));
}

TEST(LabelOverlap, NamesOfSignsAloneAreComparedAsTheyAre) {
  EXPECT_THAT(same_labels(LabelSet({"!?"}), LabelSet({"?!"})), IsEmpty());
  EXPECT_THAT(same_labels(LabelSet({"!?"}), LabelSet({"?!", "!?"})), ElementsAre(LabelPair{0, 1, 1}));
}

TEST(LabelOverlap, NearOnesAreTheMostSimilarOfEachLabelAboveTheThreshold) {
  const std::vector<float> similarities = {1.0F, 0.2F,  0.2F, 0.2F, 0.2F,   // the same: not near
                                           0.1F, 0.3F,  0.9F, 0.2F, 0.1F,   //
                                           0.1F, 1.0F,  0.9F, 0.2F, 1.0F,   // the same
                                           0.5F, 0.95F, 0.9F, 0.2F, 0.1F,   //
                                           0.1F, 0.2F,  0.3F, 0.4F, 0.5F};  // below it
  const auto same = std::vector<LabelPair>{{0, 0, 1}, {2, 1, 1}};
  EXPECT_THAT(near_labels(similarities, labels(), trained(), same, 0.9F),
              ElementsAre(LabelPair{3, 1, 0.95F}, LabelPair{1, 2, 0.9F}));
  EXPECT_THAT(near_labels(similarities, labels(), trained(), same, 0.96), IsEmpty());
  EXPECT_THROW(near_labels(std::vector<float>(3), labels(), trained(), same, 0.9), std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
