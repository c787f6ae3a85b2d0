// Which classes are base and which novel.

#include "actionclip/protocols/base_novel_split.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BaseNovel : public ::testing::Test {
 protected:
  std::string error_of(const std::string& base, const std::string& novel) const {
    try {
      split_labels(labels_, file("base.txt", base), file("novel.txt", novel));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  // Empty for no text.
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    return text.empty() ? std::filesystem::path() : folder_.write(name, text);
  }

  const TemporaryFolder folder_;
  const LabelSet labels_{{"archery", "brush hair", "climb, fast", "dive", "eat"}};
};

TEST_F(BaseNovel, TheFirstHalfIsBaseAndTheMiddleOneOfAnOddNumberToo) {
  const auto split = split_labels(labels_, {}, {});
  EXPECT_THAT(split.base, ElementsAre(0, 1, 2));
  EXPECT_THAT(split.novel, ElementsAre(3, 4));
}

TEST_F(BaseNovel, FilesNameTheHalvesHoweverTheNamesAreSpelt) {
  const auto split =
      split_labels(labels_, file("base.txt", "Dive\nBrush_Hair\n"), file("novel.txt", "archery\n"));
  EXPECT_THAT(split.base, ElementsAre(1, 3));
  EXPECT_THAT(split.novel, ElementsAre(0));
}

TEST_F(BaseNovel, OfOneFileTheOthersAreTheRest) {
  EXPECT_THAT(split_labels(labels_, file("base.txt", "eat\ndive\n"), {}).novel, ElementsAre(0, 1, 2));
  EXPECT_THAT(split_labels(labels_, {}, file("novel.txt", "eat\ndive\n")).base, ElementsAre(0, 1, 2));
}

TEST_F(BaseNovel, WhatIsNoSplitIsRefusedByName) {
  EXPECT_THAT(error_of("eat\nfly\n", ""), HasSubstr("fly"));
  EXPECT_THAT(error_of("eat\ndive\n", "archery\neat\n"), HasSubstr("'eat' is a base and a novel label"));
  EXPECT_THAT(error_of("eat\nEat\n", ""), HasSubstr("'eat' is named twice"));
  EXPECT_THAT(error_of("archery\nbrush hair\nclimb fast\ndive\neat\n", ""), HasSubstr("novel"));
}

TEST_F(BaseNovel, EachHalfCountsItsLabelsFromZero) {
  const std::vector<std::int64_t> ids = {2, 4};
  const auto half = labels_with(labels_, ids);
  EXPECT_THAT(half.names(), ElementsAre("climb, fast", "eat"));
  EXPECT_EQ(labels_text(half), "id,name\n0,\"climb, fast\"\n1,eat\n");
  VideoList list;
  for (const std::int32_t label_id : {4, 0, 2, 4})
    list.add(VideoEntry{.path = "/v", .label_ids = {label_id}});
  const auto videos = videos_of(list, ids, labels_.size());
  ASSERT_EQ(videos.size(), 3);
  EXPECT_EQ(videos.label_id(0), 1);
  EXPECT_EQ(videos.label_id(1), 0);
  EXPECT_EQ(videos.label_id(2), 1);
}

TEST_F(BaseNovel, MirroredLabelsOfTheBaseStayAndAPairThatIsDividedIsRefused) {
  const auto pairs = folder_.write("flip.csv", "label,flipped\narchery,eat\ndive,brush hair\n");
  EXPECT_EQ(base_flip_labels(pairs, labels_, {0, 2, 4}), "label,flipped\narchery,eat\neat,archery\n");
  try {
    base_flip_labels(pairs, labels_, {0, 1, 2});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a mirrored clip of 'archery', a base class, is one of 'eat'"));
  }
}

}  // namespace
}  // namespace actionclip
