#include "actionclip/protocols/template_subsets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kTemplates = {"a video of {}", "{}", "{}, an action", "is it {}?",
                                             "a photo of {}"};

std::vector<std::string> names_of(const std::vector<TemplateSubset>& subsets) {
  std::vector<std::string> names;
  for (const auto& subset : subsets) names.push_back(subset.name);
  return names;
}

TEST(TemplateSubsets, EachHasEveryTemplateAloneAndAll) {
  const auto subsets = template_subsets(kTemplates, SubsetFamily::each);
  ASSERT_EQ(subsets.size(), kTemplates.size() + 1);
  EXPECT_EQ(subsets[2].name, "{}, an action");
  EXPECT_THAT(subsets[2].templates, ElementsAre(2));
  EXPECT_EQ(subsets.back().name, "all");
  EXPECT_THAT(subsets.back().templates, ElementsAre(0, 1, 2, 3, 4));
}

TEST(TemplateSubsets, StylesAreThoseOfTheMethod) {
  const auto subsets = template_subsets(kTemplates, SubsetFamily::styles);
  EXPECT_THAT(names_of(subsets), ElementsAre("prefix", "cloze", "suffix", "label alone", "all"));
  EXPECT_THAT(subsets[0].templates, ElementsAre(0, 4));
  EXPECT_THAT(subsets[1].templates, ElementsAre(3));
  EXPECT_THAT(subsets[2].templates, ElementsAre(2));
  EXPECT_THAT(subsets[3].templates, ElementsAre(1));
}

TEST(TemplateSubsets, AStyleWithoutTemplatesIsLeftOut) {
  EXPECT_THAT(names_of(template_subsets({"a {}", "b {}", "{}"}, SubsetFamily::styles)),
              ElementsAre("prefix", "label alone", "all"));
}

TEST(TemplateSubsets, GrowingEndsWithAll) {
  const auto subsets = template_subsets(kTemplates, SubsetFamily::growing);
  EXPECT_THAT(names_of(subsets), ElementsAre("first 1", "first 2", "first 3", "first 4", "all"));
  EXPECT_THAT(subsets[1].templates, ElementsAre(0, 1));
}

TEST(TemplateSubsets, OfOneTemplateThereIsOneSubset) {
  for (const auto family : {SubsetFamily::each, SubsetFamily::styles, SubsetFamily::growing})
    EXPECT_THAT(names_of(template_subsets({"{}"}, family)), ElementsAre("all"));
}

TEST(TemplateSubsets, NumbersCountFromOneInAnyOrder) {
  EXPECT_THAT(parse_subset("3,1", 4).templates, ElementsAre(0, 2));
  EXPECT_THAT(parse_subset("4", 4).templates, ElementsAre(3));
  EXPECT_THAT(parse_subset("all", 2).templates, ElementsAre(0, 1));
}

TEST(TemplateSubsets, OtherTextsAreRefusedByName) {
  for (const char* text : {"", "0", "5", "1,", ",1", "1 2", "a", "1,2,1", "-1", "1.5"}) {
    try {
      parse_subset(text, 4);
      ADD_FAILURE() << "taken: " << text;
    } catch (const UsageError& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(std::string("--subset ") + text));
    }
  }
}

}  // namespace
}  // namespace actionclip
