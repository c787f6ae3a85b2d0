#include "actionclip/text/descriptions.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/log_capture.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DescriptionsFile : public ::testing::Test {
 protected:
  Descriptions read(const std::string& yaml, const std::vector<std::string>& labels) const {
    return read_descriptions(folder_.write("d.yaml", yaml), LabelSet(labels));
  }

  std::string error_of(const std::string& yaml, const std::vector<std::string>& labels = {"archery"}) const {
    try {
      read(yaml, labels);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

TEST_F(DescriptionsFile, SentencesAreThoseOfTheLabelsInTheirOrder) {
  const LogCapture log;
  const auto descriptions = read(
      "descriptions:\n"
      "  bowling: a ball rolls, pins fall\n"
      "  archery:\n"
      "    - a person draws a bow\n"
      "    - \"an arrow flies: it hits\"\n"
      "  'say: \"base\"': [a]\n",
      {"archery", "bowling", "say: \"base\""});
  ASSERT_EQ(descriptions.size(), 3u);
  EXPECT_THAT(descriptions[0], ElementsAre("a person draws a bow", "an arrow flies: it hits"));
  EXPECT_THAT(descriptions[1], ElementsAre("a ball rolls, pins fall"));
  EXPECT_THAT(descriptions[2], ElementsAre("a"));
  EXPECT_EQ(log.text(), "");
}

TEST_F(DescriptionsFile, ErrorsNameFileAndLine) {
  EXPECT_THAT(error_of("archery: [a]\n"), AllOf(HasSubstr("d.yaml:1:1"), HasSubstr("unknown key")));
  EXPECT_THAT(error_of("descriptions: {}\n"), AllOf(HasSubstr("d.yaml:1:"), HasSubstr("at least one label")));
  EXPECT_THAT(error_of("descriptions:\n  archery: []\n"),
              AllOf(HasSubstr("d.yaml:2:12"), HasSubstr("needs a sentence")));
  EXPECT_THAT(error_of("descriptions:\n  archery: [a, '  ']\n"), HasSubstr("d.yaml:2:12"));
  EXPECT_THAT(error_of("descriptions:\n  archery: ' '\n"), HasSubstr("d.yaml:2:12"));
  EXPECT_THAT(error_of("descriptions:\n  archery: {a: b}\n"), HasSubstr("d.yaml:2:12"));
  EXPECT_THAT(error_of("descriptions:\n  archery:\n    - [a]\n"), HasSubstr("d.yaml:3:7"));
  EXPECT_THAT(error_of("descriptions:\n  archery: [a]\n  archery: [b]\n"), HasSubstr("d.yaml:3:3"));
  EXPECT_THAT(error_of("descriptions: [a, b]\n"), HasSubstr("d.yaml:1:15"));
}

TEST_F(DescriptionsFile, LabelsWithoutADescriptionAreNamedWithTheNearestThatHasOne) {
  EXPECT_THAT(error_of("descriptions: {archerry: a, bowling: b}", {"archery", "bowling", "skiing"}),
              AllOf(HasSubstr("d.yaml: no description of 2 of the 3 labels of the labels:"),
                    HasSubstr("\"archery\" (it has \"archerry\"), \"skiing\""), Not(HasSubstr("..."))));
  std::vector<std::string> labels;
  for (int i = 0; i < 7; ++i) labels.push_back(fmt::format("label number {}", i));
  EXPECT_THAT(
      error_of("descriptions: {bowling: b}", labels),
      AllOf(HasSubstr("7 of the 7"), HasSubstr("\"label number 4\" ..."), Not(HasSubstr("number 5"))));
}

TEST_F(DescriptionsFile, NamesThatAreNoLabelsAreWarnedOf) {
  const LogCapture log;
  EXPECT_EQ(read("descriptions: {archery: a, bowling: b}", {"archery"}).size(), 1u);
  EXPECT_THAT(log.text(), HasSubstr("d.yaml: 1 names are no labels of the labels: \"bowling\""));
}

}  // namespace
}  // namespace actionclip
