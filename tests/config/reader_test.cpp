#include "actionclip/config/reader.h"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/log_capture.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Color { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Inner {
  double weight_decay = 0.5;
  std::int64_t count = 1;
  std::vector<double> values = {1, 2};

  void check(ConfigChecker& checker) const {
    checker.at_least("count", static_cast<double>(count), 1);
    checker.in_range("weight_decay", weight_decay, 0, 1);
    for (const double value : values) checker.greater_than("values", value, 0);
    if (count == 13) checker.error("", "unlucky as a whole");
    if (count == 7) checker.warning("weight_decay", "of no use");
  }
};
BOOST_DESCRIBE_STRUCT(Inner, (), (weight_decay, count, values))

struct Outer {
  bool flag = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text = "default";
  Color color = Color::red;
  InputPath path;
  std::optional<std::int64_t> maybe;
  std::vector<std::string> names;
  std::vector<Inner> inners;
  std::map<std::string, double> numbers;
  Inner inner;
};
BOOST_DESCRIBE_STRUCT(Outer, (),
                      (flag, integer, real, text, color, path, maybe, names, inners, numbers, inner))

struct Section {
  InputPath path;
};
BOOST_DESCRIBE_STRUCT(Section, (), (path))

struct TwoSections {
  Section data, more;
};
BOOST_DESCRIBE_STRUCT(TwoSections, (), (data, more))

Outer read(const std::string& text) { return read_config<Outer>(parse_yaml(text, "a.yaml")); }

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ReadConfig, ReadsEveryType) {
  const auto config = read(
      "flag: true\ninteger: -12\nreal: 2\ntext: a b\ncolor: green\nmaybe: 7\nnames: [x, \"y z\"]\n"
      "inners: [{count: 2}, {weight_decay: 0.25}]\nnumbers: {one: 1, two: 2.5}\ninner: {count: 3, values: "
      "[]}\n");
  EXPECT_TRUE(config.flag);
  EXPECT_EQ(config.integer, -12);
  EXPECT_EQ(config.real, 2.0);
  EXPECT_EQ(config.text, "a b");
  EXPECT_EQ(config.color, Color::green);
  EXPECT_EQ(config.maybe, 7);
  EXPECT_THAT(config.names, ElementsAre("x", "y z"));
  ASSERT_EQ(config.inners.size(), 2u);
  EXPECT_EQ(config.inners[0].count, 2);
  EXPECT_EQ(config.inners[1].weight_decay, 0.25);
  EXPECT_EQ(config.numbers.at("two"), 2.5);
  EXPECT_TRUE(config.inner.values.empty());
}

TEST(ReadConfig, WhatIsNotGivenKeepsItsDefault) {
  for (const auto* text : {"", "inner:\n", "inner: {}\n", "maybe: ~\n"}) {
    const auto config = read(text);
    EXPECT_EQ(config.text, "default");
    EXPECT_EQ(config.inner.weight_decay, 0.5);
    EXPECT_FALSE(config.maybe);
  }
}

TEST(ReadConfig, NumbersAreReadInEveryCommonForm) {
  const std::pair<const char*, double> cases[] = {{"5.e-6", 5e-6}, {"5e-6", 5e-6}, {"1E3", 1e3},
                                                  {".5", 0.5},     {"+1.5", 1.5},  {"-0.25", -.25},
                                                  {"0", 0},        {"0.1", 0.1}};
  for (const auto& [text, value] : cases) EXPECT_EQ(read(fmt::format("real: {}", text)).real, value) << text;
  EXPECT_EQ(read("integer: 9223372036854775807").integer, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(read("integer: +5").integer, 5);
}

TEST(ReadConfig, IntegersAreStrict) {
  EXPECT_EQ(error_of("integer: 3.5"), "a.yaml:1:10: integer: expected an integer, found 3.5");
  EXPECT_EQ(error_of("integer: \"3\""), "a.yaml:1:10: integer: expected an integer, found the text \"3\"");
  EXPECT_EQ(error_of("integer: 010"),
            "a.yaml:1:10: integer: expected an integer, found 010 (leading zeros are not allowed)");
  EXPECT_EQ(error_of("integer: 1e3"), "a.yaml:1:10: integer: expected an integer, found 1e3 (write 1000)");
  EXPECT_EQ(error_of("integer: 9223372036854775808"),
            "a.yaml:1:10: integer: expected an integer, found 9223372036854775808 (too large)");
  for (const auto* text :
       {"0x10", "1_000", "3 4", "three", "--3", "+-3", "[3]", "{a: 3}", "", "true", ".nan"}) {
    EXPECT_THAT(error_of(fmt::format("integer: {}", text)), HasSubstr("integer: expected an integer, found "))
        << text;
  }
}

TEST(ReadConfig, NumbersAreFinite) {
  for (const auto* text : {".nan", "nan", ".inf", "-.inf", "inf", "Infinity", "+.Inf"}) {
    EXPECT_THAT(error_of(fmt::format("real: {}", text)), HasSubstr("real: expected a finite number, found "))
        << text;
  }
  for (const auto* text : {"1e999", "0x1p3", "1,5", "1.5.2", "'1'", "05.5", "1 000", "~", "[1]"}) {
    EXPECT_THAT(error_of(fmt::format("real: {}", text)), HasSubstr("real: expected a number, found "))
        << text;
  }
}

TEST(ReadConfig, BooleansAreTrueOrFalseOnly) {
  for (const auto* text : {"yes", "on", "True", "1", "'true'", "", "no"}) {
    EXPECT_THAT(error_of(fmt::format("flag: {}", text)), HasSubstr("flag: expected true or false, found "))
        << text;
  }
}

TEST(ReadConfig, ChoicesNameTheNearest) {
  EXPECT_EQ(error_of("color: gren"),
            "a.yaml:1:8: color: expected one of red, green, found gren, did you mean 'green'?");
  EXPECT_EQ(error_of("color: mauve"), "a.yaml:1:8: color: expected one of red, green, found mauve");
}

TEST(ReadConfig, ContainersAreNotGuessed) {
  EXPECT_EQ(error_of("names: x"), "a.yaml:1:8: names: expected a list, found x");
  EXPECT_EQ(error_of("names: [x, [y]]"), "a.yaml:1:12: names[1]: expected a text, found a list");
  EXPECT_EQ(error_of("inner: 3"), "a.yaml:1:8: inner: expected a map of keys and values, found 3");
  EXPECT_EQ(error_of("numbers: [1]"),
            "a.yaml:1:10: numbers: expected a map of keys and values, found a list");
  EXPECT_EQ(error_of("inners: [{count: x}]"), "a.yaml:1:18: inners[0].count: expected an integer, found x");
  EXPECT_EQ(error_of("numbers: {a: x}"), "a.yaml:1:14: numbers.a: expected a number, found x");
  EXPECT_EQ(error_of("- 1"), "a.yaml:1:1: expected a map of keys and values, found a list");
}

TEST(ReadConfig, UnknownKeysNameTheNearest) {
  EXPECT_EQ(error_of("inner:\n  weight_dacay: 1\n"),
            "a.yaml:2:3: inner.weight_dacay: unknown key, did you mean 'weight_decay'?");
  EXPECT_EQ(error_of("inner: {Weight-Decay: 1}"),
            "a.yaml:1:9: inner.Weight-Decay: unknown key, did you mean 'weight_decay'?");
}

TEST(ReadConfig, KeysOfAnotherSectionAreSentThere) {
  EXPECT_EQ(
      error_of("weight_decay: 1"),
      "a.yaml:1:1: weight_decay: unknown key, it belongs to inners[].weight_decay or inner.weight_decay");
  EXPECT_EQ(error_of("inner: {flag: true}"), "a.yaml:1:9: inner.flag: unknown key, it belongs to flag");
  EXPECT_EQ(error_of("inner: {colro: red}"), "a.yaml:1:9: inner.colro: unknown key, did you mean 'color'?");
}

TEST(ReadConfig, KeysLikeNothingListWhatIsKnown) {
  EXPECT_EQ(error_of("inner: {zzzzzzzz: 1}"),
            "a.yaml:1:9: inner.zzzzzzzz: unknown key, known here: weight_decay, count, values");
}

TEST(ReadConfig, AllFindingsComeAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(error_of("inner:\n  count: 0\n  valeus: [1]\nreal: x\nflag: 1\n"),
            "a.yaml:2:10: inner.count: must be at least 1, found 0\n"
            "a.yaml:3:3: inner.valeus: unknown key, did you mean 'values'?\n"
            "a.yaml:4:7: real: expected a number, found x\n"
            "a.yaml:5:7: flag: expected true or false, found 1");
}

TEST(ReadConfig, ThousandsOfFindingsAreCutShort) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("key_{}: 1\n", i);
  const std::string message = error_of(text);
  EXPECT_THAT(message, HasSubstr("\nand 4900 more"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 100);
}

TEST(ReadConfig, AFindingStaysOnOneLine) {
  EXPECT_EQ(error_of("integer: \"a\\nb\""),
            "a.yaml:1:10: integer: expected an integer, found the text \"a b\"");
}

TEST(ReadConfig, ChecksPointAtTheValueOrTheStruct) {
  EXPECT_EQ(error_of("inner:\n  weight_decay: 2\n"),
            "a.yaml:2:17: inner.weight_decay: must lie between 0 and 1, found 2");
  EXPECT_EQ(error_of("flag: true\ninner: {count: 13}\n"), "a.yaml:2:1: inner: unlucky as a whole");
}

struct Demanding {
  Inner inner;
  std::int64_t size = 0;
  void check(ConfigChecker& checker) const {
    checker.greater_than("size", static_cast<double>(size), 0);
    if (inner.count == 1) checker.error("inner.count", "must not be 1 here");
  }
};
BOOST_DESCRIBE_STRUCT(Demanding, (), (inner, size))

TEST(ReadConfig, ChecksOfDefaultsPointAtWhatEnclosesThem) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      read_config<Demanding>(parse_yaml(text, "a.yaml"));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(""),
            "a.yaml:1:1: size: must be greater than 0, found 0\na.yaml:1:1: inner.count: must not be 1 here");
  EXPECT_EQ(message("size: 1\ninner:\n  values: []\n"), "a.yaml:2:1: inner.count: must not be 1 here");
  EXPECT_EQ(message("size: 1\ninner:\n  count: 1\n"), "a.yaml:3:10: inner.count: must not be 1 here");
}

TEST(ReadConfig, ChecksDoNotAddToAValueThatCouldNotBeRead) {
  EXPECT_EQ(error_of("inner: {values: [x, 1]}"), "a.yaml:1:18: inner.values[0]: expected a number, found x");
}

TEST(ReadConfig, PathsStartAtTheFileThatNamesThem) {
  const TemporaryFolder folder;
  const auto data = folder.write("base/data.txt", "");
  folder.write("base/a.yaml", "path: data.txt\n");
  const auto config = read_config<Outer>(load_yaml(folder.write("b.yaml", "base: base/a.yaml\n")));
  EXPECT_EQ(config.path.path, data);
  EXPECT_TRUE(config.path.path.is_absolute());
  EXPECT_TRUE(read("path: \"\"").path.empty());
  EXPECT_TRUE(read("path: ~").path.empty());
}

TEST(ReadConfig, PathsInOverridesStartAtTheWorkingFolder) {
  const TemporaryFolder folder;
  const auto file = folder.write("sub/a.yaml", "");
  const auto relative = std::filesystem::relative(file);
  EXPECT_EQ(read_config<Outer>(load_yaml(file, {"path=" + relative.string()})).path.path, file);
}

TEST(ReadConfig, APathThatDoesNotExistIsAFinding) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "path: nowhere\n");
  try {
    read_config<Outer>(load_yaml(file));
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()), fmt::format("{}:1:7: path: no such file or folder: {}",
                                                     file.string(), (folder.path() / "nowhere").string()));
  }
  EXPECT_THAT(error_of("path: [x]"), HasSubstr("expected a path, found a list"));
  EXPECT_THAT(error_of("path: " + std::string(5000, 'x')), HasSubstr("path: cannot read "));
}

TEST(ReadConfig, OnlyPathsThatWillBeReadMustExist) {
  const auto root = parse_yaml("data: {path: absent.txt}\nmore: {path: absent.txt}\n", "a.yaml");
  const auto complaint = [&](const UnreadPaths& unread) -> std::string {
    try {
      read_config<TwoSections>(root, unread);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(complaint({}), HasSubstr("data.path: no such file"));
  EXPECT_THAT(complaint({"data.path"}), testing::StartsWith("a.yaml:2:"));
  EXPECT_THAT(complaint({"data"}), testing::StartsWith("a.yaml:2:"));
  EXPECT_THAT(complaint({"dat", "more"}), testing::StartsWith("a.yaml:1:"));
  EXPECT_EQ(complaint({"data", "more.path"}), "none");
  EXPECT_EQ(complaint({""}), "none");
  EXPECT_THAT(read_config<TwoSections>(root, {""}).data.path.string(), HasSubstr("/absent.txt"));
}

TEST(ReadConfig, AnEmptyOverrideIsAnEmptyTextListOrPath) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "text: x\nnames: [x]\n");
  for (const auto* nothing : {"", "~", "\"\"", "null"}) {
    const auto value = std::string("text=") + nothing;
    EXPECT_EQ(read_config<Outer>(load_yaml(file, {value})).text, "") << value;
  }
  EXPECT_THAT(read_config<Outer>(load_yaml(file, {"names="})).names, testing::IsEmpty());
  EXPECT_TRUE(read_config<Outer>(load_yaml(file, {"path="})).path.empty());
  EXPECT_THROW(read_config<Outer>(load_yaml(file, {"integer="})), UsageError);
  EXPECT_EQ(error_of("text:\n"), "a.yaml:1:1: text: expected a text, found nothing");
  EXPECT_EQ(error_of("names:\n"), "a.yaml:1:1: names: expected a list, found nothing");
}

TEST(ReadConfig, FindingsOfOverridesAloneAreUsageErrors) {
  const TemporaryFolder folder;
  const auto good = folder.write("good.yaml", "inner: {values: [1]}\n");
  for (const auto* text : {"inner.cuont=3", "inner.count=x", "inner.count=0", "inner.count.x=1", "inner=3"}) {
    EXPECT_THROW(read_config<Outer>(load_yaml(good, {text})), UsageError) << text;
  }
  try {
    read_config<Outer>(load_yaml(good, {"inner.cuont=3"}));
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "override 'inner.cuont=3': inner.cuont: unknown key, did you mean 'count'?");
  }
  const auto bad = folder.write("bad.yaml", "integer: x\n");
  EXPECT_THROW(read_config<Outer>(load_yaml(bad, {"inner.cuont=3"})), ConfigError);
  EXPECT_NO_THROW(read_config<Outer>(load_yaml(bad, {"integer=3"})));
}

TEST(ConfigKeys, NameEveryKeyWithItsPath) {
  EXPECT_THAT(config_keys<Demanding>(),
              ElementsAre("inner", "inner.weight_decay", "inner.count", "inner.values", "size"));
}

TEST(WriteConfig, GivesBackTheSameValues) {
  const TemporaryFolder folder;
  Outer config;
  config.flag = true;
  config.integer = std::numeric_limits<std::int64_t>::min();
  config.color = Color::green;
  config.path.path = folder.write("a file: #1.txt", "");
  config.maybe = 0;
  config.inners.resize(2);
  config.inners[1].values = {0.1, 1e-300, 1.0 / 3, 5e-6, 1e22, 123456789.123456789, 3};
  config.numbers = {{"a: b", 0.1}, {"true", 2}, {"", 3}, {"0", 4}};
  const auto again = read(write_config(config));
  EXPECT_EQ(again.flag, config.flag);
  EXPECT_EQ(again.integer, config.integer);
  EXPECT_EQ(again.color, config.color);
  EXPECT_EQ(again.path.path, config.path.path);
  EXPECT_EQ(again.maybe, config.maybe);
  ASSERT_EQ(again.inners.size(), 2u);
  EXPECT_EQ(again.inners[1].values, config.inners[1].values);
  EXPECT_EQ(again.numbers, config.numbers);
  EXPECT_EQ(write_config(again), write_config(config));
}

TEST(WriteConfig, TextsSurviveWhateverTheyHold) {
  Outer config;
  config.names = {"",     "~",    "null",  "Null", "true",  "no",   "3",    "010",     "1e5",
                  ".inf", "a: b", "a #b",  "#x",   "- x",   "? x",  "x:",   "[x",      "{x}",
                  "x, y", "x]",   "&x",    "*x",   "!x",    "|",    ">",    "%x",      "@x",
                  "`x",   "'x'",  "\"x\"", "\\x",  " lead", "end ", "a\nb", "a\n\n",   "\ttab",
                  "---",  "...",  "=",     "<<",   "é",     "日本", "😀",   "x'y",     "-",
                  "-1",   "+1",   "./x",   "../x", "/x/y",  "a@b",  "a%b",  "a{:05d}b"};
  for (const auto& name : config.names) {
    config.text = name;
    EXPECT_EQ(read(write_config(config)).text, name);
  }
  EXPECT_EQ(read(write_config(config)).names, config.names);
}

TEST(WriteConfig, ARelativePathBecomesAbsolute) {
  Outer config;
  config.path.path = ".";
  EXPECT_THAT(write_config(config), HasSubstr(std::filesystem::current_path().string()));
}

TEST(ReadConfig, WarningsAreLoggedWithTheirPlacesAndTheValuesStand) {
  const LogCapture log;
  const auto outer = read_config<Outer>(
      parse_yaml("inner: {count: 7, weight_decay: 1}\ninners:\n  - {count: 7}\n", "a.yaml"));
  EXPECT_EQ(outer.inner.weight_decay, 1);
  EXPECT_THAT(log.text(), HasSubstr("a.yaml:1:33: inner.weight_decay: of no use"));
  EXPECT_THAT(log.text(), HasSubstr("a.yaml:3:5: inners[0].weight_decay: of no use"));
}

TEST(ReadConfig, WhereThereAreErrorsTheyAloneAreTold) {
  const LogCapture log;
  EXPECT_THROW(read_config<Outer>(parse_yaml("inner: {count: 7}\nreal: x\n", "a.yaml")), ConfigError);
  EXPECT_EQ(log.text(), "");
}

}  // namespace
}  // namespace actionclip
