#include "actionclip/video/flip_labels.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

LabelSet labels() {
  return LabelSet({"Pushing left", "Pushing right", "Covering, slowly", "Turning left", "Turning right"}, {},
                  "labels.csv");
}

class FlipLabelsFile : public ::testing::Test {
 protected:
  FlipLabels read(const std::string& text) {
    std::ofstream(file_) << text;
    return read_flip_labels(file_, labels());
  }

  std::string error_of(const std::string& text) {
    try {
      read(text);
      return "no error";
    } catch (const Error& problem) {
      return problem.what();
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "flips.csv";
};

TEST_F(FlipLabelsFile, APairCountsBothWaysAndOthersStay) {
  const auto flips = read("label,flipped\nPushing left,Pushing right\nTurning right, Turning left \n");
  EXPECT_EQ(flips.mirrored(0), 1);
  EXPECT_EQ(flips.mirrored(1), 0);
  EXPECT_EQ(flips.mirrored(2), 2);
  EXPECT_EQ(flips.mirrored(3), 4);
  EXPECT_EQ(flips.mirrored(4), 3);
  EXPECT_EQ(flips.mirrored(-1), -1);
}

TEST_F(FlipLabelsFile, BothOrdersOfAPairAndALabelThatStaysMayBeGiven) {
  const auto flips = read(
      "\xEF\xBB\xBFlabel,flipped\r\nPushing left,Pushing right\r\nPushing right,Pushing left\r\n"
      "\"Covering, slowly\",\"Covering, slowly\"\r\n");
  EXPECT_EQ(flips.mirrored(0), 1);
  EXPECT_EQ(flips.mirrored(2), 2);
}

TEST_F(FlipLabelsFile, WithoutAFileEveryLabelStays) {
  const FlipLabels none;
  EXPECT_EQ(none.mirrored(7), 7);
  EXPECT_EQ(read("label,flipped\n").mirrored(3), 3);
}

TEST_F(FlipLabelsFile, MistakesAreNamedByTheirLine) {
  EXPECT_THAT(error_of("left,right\n"), EndsWith("flips.csv:1: the header must be label,flipped"));
  EXPECT_THAT(error_of(""), HasSubstr("flips.csv:1: the header"));
  EXPECT_THAT(error_of("label,flipped\n\nPushing left,Pulling\n"),
              EndsWith("flips.csv:3: \"Pulling\" is no label of labels.csv"));
  EXPECT_THAT(error_of("label,flipped\nCovering, slowly,Pushing left\n"),
              AllOf(HasSubstr("flips.csv:2: 3 fields"), HasSubstr("needs quotes")));
  EXPECT_THAT(error_of("label,flipped\nPushing left,Pushing right\nTurning left,Pushing right\n"),
              EndsWith("flips.csv:3: \"Pushing right\" was paired with \"Pushing left\" before, at " +
                       file_.string() + ":2"));
  EXPECT_THAT(error_of("label,flipped\nPushing left,\"Pushing\n"), HasSubstr("flips.csv:2"));
  EXPECT_THROW(read_flip_labels(folder_ / "none.csv", labels()), Error);
}

TEST(LeftRightPairs, AreLabelsThatBecomeEachOtherAndReadBack) {
  std::vector<std::string> alone;
  const LabelSet own({"Pulling a cup from left to right", "Pulling a cup from right to left", "Lefty, alone",
                      "Turning, left", "Turning, right", "Right behind"});
  const auto text = left_right_pairs(own, alone);
  EXPECT_EQ(text,
            "label,flipped\nPulling a cup from left to right,Pulling a cup from right to left\n"
            "\"Turning, left\",\"Turning, right\"\n");
  EXPECT_EQ(alone, std::vector<std::string>{"Right behind"});
  const TemporaryFolder folder;
  const auto pairs = read_flip_labels(folder.write("flip.csv", text), own);
  EXPECT_EQ(pairs.mirrored(4), 3);
  EXPECT_EQ(left_right_pairs(LabelSet({"run", "copyright"}), alone), "");
}

TEST(FlipLabels, MirroringTwiceLeadsBack) {
  EXPECT_EQ(FlipLabels({0, 2, 1}).mirrored(2), 1);
  EXPECT_THROW(FlipLabels({1, 2, 0}), Error);
  EXPECT_THROW(FlipLabels({0, 2}), Error);
  EXPECT_THROW(FlipLabels({-1}), Error);
}

}  // namespace
}  // namespace actionclip
