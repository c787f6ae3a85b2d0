#include "actionclip/text/labels.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/places.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string csv_error(std::string_view text) {
  return error_of([&] { parse_labels(text, "l.csv"); });
}

std::string text_error(std::string_view text) {
  return error_of([&] { parse_labels(text, "l.txt"); });
}

TEST(Labels, CsvRowsAreOrderedByTheirIds) {
  const auto labels = parse_labels("id,name\n2,running\n0,jumping\n1,waving\n", "l.csv");
  EXPECT_EQ(labels.size(), 3);
  EXPECT_THAT(labels.names(), ElementsAre("jumping", "waving", "running"));
  EXPECT_EQ(labels.name(2), "running");
}

TEST(Labels, CsvQuotesKeepCommasQuotesAndLineBreaks) {
  const auto labels =
      parse_labels("id,name,note\n0,\"cutting, slicing\",\"two\r\nlines\"\n1,\"a \"\"b\"\"\",\n", "l.csv");
  EXPECT_THAT(labels.names(), ElementsAre("cutting, slicing", "a \"b\""));
  EXPECT_THAT(labels.column("note"), ElementsAre("two\r\nlines", ""));
}

TEST(Labels, ByteOrderMarkAndCrlfAreTolerated) {
  EXPECT_THAT(parse_labels("\xef\xbb\xbfid,name\r\n0,a\r\n1,b\r\n", "l.csv").names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_labels("\xef\xbb\xbf"
                           "a\r\nb",
                           "l.txt")
                  .names(),
              ElementsAre("a", "b"));
}

TEST(Labels, TextHoldsALabelALine) {
  EXPECT_THAT(parse_labels("riding a bike\n\n  \n  doing a handstand \nid, name", "l.txt").names(),
              ElementsAre("riding a bike", "doing a handstand", "id, name"));
}

std::string json_error(std::string_view text) {
  return error_of([&] { parse_labels(text, "l.json"); });
}

TEST(Labels, JsonGivesNamesTheirIds) {
  EXPECT_THAT(parse_labels(R"({"Holding something": "1",
 "Pushing something": "0"})",
                           "l.json")
                  .names(),
              ElementsAre("Pushing something", "Holding something"));
  EXPECT_THAT(parse_labels("\xef\xbb\xbf{\"a\": 1, \" b\": 0}", "l.json").names(), ElementsAre("b", "a"));
  EXPECT_THAT(parse_labels(R"({"0": 1, "7": 0})", "l.json").names(), ElementsAre("7", "0"))
      << "names that are numbers";
}

TEST(Labels, JsonGivesIdsTheirNames) {
  EXPECT_THAT(parse_labels(R"({"1": "b", "0": "a"})", "l.json").names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_labels(R"({"1": "0", "0": "1"})", "l.json").names(), ElementsAre("1", "0"));
}

TEST(Labels, JsonListsNames) {
  EXPECT_THAT(parse_labels(R"(["b", "caf\u00e9"])", "l.json").names(), ElementsAre("b", "caf\xc3\xa9"));
  EXPECT_THAT(parse_labels(R"(["b"])", "l.txt").names(), ElementsAre(R"(["b"])")) << "the ending decides";
}

TEST(Labels, JsonErrorsNameFileAndLine) {
  EXPECT_THAT(json_error("{}"), HasSubstr("l.json: holds no labels"));
  EXPECT_THAT(json_error("[]"), HasSubstr("l.json: holds no labels"));
  EXPECT_THAT(json_error("\"a\""), HasSubstr("l.json:1: a list of names, or an object"));
  EXPECT_THAT(json_error("[\"a\",\n1]"), HasSubstr("l.json:2: 1 is a number, not a name"));
  EXPECT_THAT(json_error("[\"a\",\n[]]"),
              HasSubstr("l.json:2: names and ids are expected here, found a list"));
  EXPECT_THAT(json_error("{\"a\":\n{}}"),
              HasSubstr("l.json:2: names and ids are expected here, found an object"));
  EXPECT_THAT(json_error(R"({"a": null})"), HasSubstr("found null"));
  EXPECT_THAT(json_error(R"({"a": 0.5})"), HasSubstr("found a fraction"));
  EXPECT_THAT(json_error("{\"a\": 0,\n\"b\": 0}"), HasSubstr("l.json:2: id 0 was given before, at l.json:1"));
  EXPECT_THAT(json_error("{\"a\": 0,\n\"b\": 2}"), HasSubstr("l.json:2: id 2 is too large; 2 labels have"));
  EXPECT_THAT(json_error("{\"a\": 0,\n\"b\": -1}"), HasSubstr("l.json:2: the id must be a whole number"));
  EXPECT_THAT(json_error("{\"a\": 0,\n\"b\": \"x\"}"), HasSubstr("l.json:2: the id must be a whole number"));
  EXPECT_THAT(json_error("{\"a\": 0,\n\"a\": 1}"), HasSubstr("the name \"a\" was given before, at l.json:"));
  EXPECT_THAT(json_error("[\"a\",\n\" \"]"), HasSubstr("l.json:2: the name is blank"));
  EXPECT_THAT(json_error(R"(["a\u0000b"])"),
              HasSubstr("l.json:1: the name \"a b\" holds a control character"));
  EXPECT_THAT(json_error("[\"a\",\n"), HasSubstr("l.json:2: is no JSON"));
  EXPECT_THAT(json_error(std::string_view("[\"a\"]\n\0", 7)), HasSubstr("l.json:2: holds a zero byte"));
}

TEST(Labels, HeaderMakesAnyFileCsv) {
  EXPECT_THAT(parse_labels("id,name\n1,b\n0,a", "labels").names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_labels("id,name,part\n0,a,x", "l.txt").column("part"), ElementsAre("x"));
}

TEST(Labels, UnknownColumnNamesTheKnownOnes) {
  const auto labels = parse_labels("id,name,part,group\n0,a,x,y\n", "l.csv");
  EXPECT_THAT(labels.column("group"), ElementsAre("y"));
  EXPECT_THAT(error_of([&] { labels.column("groups"); }),
              AllOf(HasSubstr("l.csv: "), HasSubstr("\"groups\""), HasSubstr("part, group")));
  EXPECT_THAT(error_of([&] { parse_labels("a\nb", "l.txt").column("part"); }), HasSubstr("l.txt: "));
  EXPECT_THAT(error_of([&] { LabelSet({"a"}).column("part"); }), HasSubstr("none"));
}

TEST(Labels, IdsOutsideTheSetAreRefused) {
  const auto labels = parse_labels("a\nb", "l.txt");
  EXPECT_THAT(error_of([&] { labels.name(2); }), HasSubstr("label id 2 does not exist"));
  EXPECT_THAT(error_of([&] { labels.name(-1); }), HasSubstr("label id -1 does not exist"));
}

TEST(Labels, CsvErrorsNameFileAndLine) {
  EXPECT_THAT(csv_error(""), HasSubstr("l.csv: holds no labels"));
  EXPECT_THAT(csv_error("\n\n"), HasSubstr("l.csv: holds no labels"));
  EXPECT_THAT(csv_error("id,name\n"), HasSubstr("l.csv: holds no labels behind the header"));
  EXPECT_THAT(csv_error("name,id\na,0\n"), HasSubstr("l.csv:1: the header must begin with id,name"));
  EXPECT_THAT(csv_error("id\n0\n"), HasSubstr("l.csv:1: the header must begin with id,name"));
  EXPECT_THAT(csv_error("id,name,x,x\n0,a,b,c\n"), HasSubstr("l.csv:1: column \"x\""));
  EXPECT_THAT(csv_error("id,name,\n0,a,b\n"), HasSubstr("l.csv:1: column \"\""));
  EXPECT_THAT(csv_error("id,name\n0,a\n\n1,b,c\n"), HasSubstr("l.csv:4: 3 fields where the header has 2"));
  EXPECT_THAT(csv_error("id,name\nx,a\n"), HasSubstr("l.csv:2: the id must be a whole number"));
  EXPECT_THAT(csv_error("id,name\n-1,a\n"), HasSubstr("l.csv:2: the id must be a whole number"));
  EXPECT_THAT(csv_error("id,name\n99999999999999999999999,a\n"),
              HasSubstr("l.csv:2: the id must be a whole number"));
  EXPECT_THAT(csv_error("id,name\n0,a\n2,b\n"),
              HasSubstr("l.csv:3: id 2 is too large; 2 labels have the ids 0 to 1"));
  EXPECT_THAT(csv_error("id,name\n0,a\n0,b\n"), HasSubstr("l.csv:3: id 0 was given before, at l.csv:2"));
  EXPECT_THAT(csv_error("id,name\n0,a\n1, a\n"),
              HasSubstr("l.csv:3: the name \"a\" was given before, at l.csv:2"));
  EXPECT_THAT(csv_error("id,name\n0, \n"), HasSubstr("l.csv:2: the name is blank"));
  EXPECT_THAT(csv_error("id,name\n0,\"a\nb\"\n"),
              HasSubstr("l.csv:2: the name \"a b\" holds a control character"));
  EXPECT_THAT(csv_error("id,name\n0,a\xff\n"), HasSubstr("l.csv:2: the name is not valid UTF-8"));
  EXPECT_THAT(csv_error("id,name\n0,\"x\ny\"\n1,\"a\n"),
              HasSubstr("l.csv:4: a quoted field has no closing quote"));
  EXPECT_THAT(csv_error("id,name\n0,a \"b\"\n"), HasSubstr("l.csv:2: a quote"));
  EXPECT_THAT(csv_error("id,name\n0,\"a\"b\n"), HasSubstr("l.csv:2: a quote"));
  EXPECT_THAT(csv_error("id,name\n0,a\rb\n"), HasSubstr("l.csv:2: a quote or a carriage return"));
}

TEST(Labels, TextErrorsNameFileAndLine) {
  EXPECT_THAT(text_error(" \n\n"), HasSubstr("l.txt: holds no labels"));
  EXPECT_THAT(text_error("a\n\nb\na\n"), HasSubstr("l.txt:4: the name \"a\" was given before, at l.txt:1"));
  EXPECT_THAT(text_error("a\nb\xc3\n"), HasSubstr("l.txt:2: the name is not valid UTF-8"));
  EXPECT_THAT(text_error("a\tb\n"), HasSubstr("l.txt:1: the name \"a b\" holds a control character"));
  EXPECT_THAT(text_error(std::string_view("a\0b\n", 4)), HasSubstr("holds a control character"));
}

TEST(Labels, SetsMadeInCodeAreCheckedToo) {
  EXPECT_THAT(error_of([] { LabelSet({}); }), HasSubstr("at least one label"));
  EXPECT_THAT(error_of([] {
                LabelSet({"a", "b", "a"});
              }),
              HasSubstr("label 2: the name \"a\" was given before, at label 0"));
  EXPECT_THAT(error_of([] {
                LabelSet({"a"}, {{"x", {"1", "2"}}});
              }),
              HasSubstr("\"x\" has 2 values for 1 labels"));
}

TEST(Labels, AreReadFromAFile) {
  const auto file = ::testing::TempDir() + "labels." + std::to_string(::getpid()) + ".csv";
  std::ofstream(file) << "id,name\n0,sword fighting\n";
  EXPECT_THAT(read_labels(file).names(), ElementsAre("sword fighting"));
  std::filesystem::remove(file);
  EXPECT_THAT(error_of([&] { read_labels(file); }), HasSubstr(file));
}

TEST(Labels, PublishedLabelFilesAreRead) {
  const std::filesystem::path folder = test_data_folder() / "labels";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  EXPECT_EQ(read_labels(folder / "kinetics_400_labels.csv").size(), 400);
  EXPECT_EQ(read_labels(folder / "hmdb51_labels.csv").size(), 51);
  EXPECT_EQ(read_labels(folder / "ucf_labels.csv").size(), 101);
}

}  // namespace
}  // namespace actionclip
