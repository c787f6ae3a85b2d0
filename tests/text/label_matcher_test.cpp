#include "actionclip/text/label_matcher.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/places.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PlainLabel, IsLettersAndDigitsInLowerCase) {
  EXPECT_EQ(plain_label("Apply  Eye-Makeup"), "applyeyemakeup");
  EXPECT_EQ(plain_label("ApplyEyeMakeup"), "applyeyemakeup");
  EXPECT_EQ(plain_label("brush_hair"), plain_label("Brush hair"));
  EXPECT_EQ(plain_label("massaging person's head"), plain_label("massaging_person_s_head"));
  EXPECT_EQ(plain_label("passing American football (in game)"), "passingamericanfootballingame");
  EXPECT_EQ(plain_label("CAF\xc3\x89"), plain_label("cafe\xcc\x81")) << "composed or not";
  EXPECT_EQ(plain_label("\xe5\xa4\xaa\xe6\x9e\x81"), "\xe5\xa4\xaa\xe6\x9e\x81");
  EXPECT_EQ(plain_label("?!"), "");
  EXPECT_EQ(plain_label("caf\xe9"), "") << "no UTF-8";
}

TEST(LabelMatcher, TakesTheNameItselfBeforeWhatLooksLikeIt) {
  const LabelSet labels({"hand stand", "handstand", "Boxing", "tai chi"});
  const LabelMatcher matcher(labels);
  EXPECT_EQ(matcher.match("handstand"), 1);
  EXPECT_EQ(matcher.match("hand stand"), 0);
  EXPECT_EQ(matcher.match("boxing"), 2);
  EXPECT_EQ(matcher.match("TaiChi"), 3);
}

TEST(LabelMatcher, WhatCouldBeSeveralOrNoneIsNotMatched) {
  const LabelSet labels({"hand stand", "handstand", "boxing", "?"});
  const LabelMatcher matcher(labels);
  EXPECT_EQ(matcher.match("HandStand"), std::nullopt);
  EXPECT_EQ(matcher.match("boxin"), std::nullopt);
  EXPECT_EQ(matcher.match(""), std::nullopt);
  EXPECT_EQ(matcher.match("!"), std::nullopt) << "nothing but punctuation is like nothing";
  EXPECT_EQ(matcher.match("?"), 3);
  EXPECT_EQ(matcher.match("boxing\xff"), std::nullopt);
}

TEST(LabelMatcher, TellsWhyThereIsNoMatch) {
  const LabelSet labels({"hand stand", "handstand", "boxing"});
  const LabelMatcher matcher(labels);
  EXPECT_EQ(matcher.explain("HandStand"), "'HandStand' (could be 'hand stand' or 'handstand')");
  EXPECT_EQ(matcher.explain("boxin"), "'boxin' (nearest: 'boxing')");
  EXPECT_EQ(matcher.explain("juggling balls"), "'juggling balls'");
}

TEST(LabelMatcher, PublishedLabelsAreToldApart) {
  const std::filesystem::path folder = test_data_folder() / "labels";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  for (const auto* file : {"kinetics_400_labels.csv", "hmdb51_labels.csv", "ucf_labels.csv"}) {
    const auto labels = read_labels(folder / file);
    const LabelMatcher matcher(labels);
    for (std::int64_t id = 0; id < labels.size(); ++id) {
      std::string name = labels.name(id);
      for (char& c : name) c = c == ' ' ? '_' : c;
      EXPECT_EQ(matcher.match(name), id) << file << ": " << name;
    }
  }
}

TEST(NameResolver, CollectsWhatMatchesNoLabel) {
  const LabelSet labels({"boxing", "running"}, {}, "labels.csv");
  const LabelMatcher matcher(labels);
  NameResolver fine(matcher, "list.csv");
  EXPECT_EQ(fine.resolve("Running", 2), 1);
  EXPECT_EQ(fine.resolve("boxing", 3), 0);
  EXPECT_NO_THROW(fine.finish());

  NameResolver names(matcher, "list.csv");
  EXPECT_EQ(names.resolve("boxing", 2), 0);
  EXPECT_EQ(names.resolve("runing", 3), -1);
  EXPECT_EQ(names.resolve("runing", 4), -1);
  try {
    names.finish();
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(),
                 "list.csv:3: 1 name that matches no label of labels.csv, or several: 'runing' (nearest: "
                 "'running'); correct it there or here");
  }
  for (const auto* name : {"c", "d", "e", "f", "g"}) names.resolve(name, 9);
  try {
    names.finish();
    FAIL() << "accepted";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), AllOf(HasSubstr("list.csv:3: 6 names that match no label"),
                                      HasSubstr("'f' ...; correct them"), Not(HasSubstr("'g'"))));
  }
}

}  // namespace
}  // namespace actionclip
