#include "config/yaml_parser.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "a.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(YamlParser, KeepsOrderTextQuotesAndMarks) {
  const auto root = parse_yaml("b: 1\na:\n  c: \"x\"\n  d: [1, {e: 2}]\n  n:\n", "a.yaml");
  ASSERT_EQ(root.kind, ConfigNode::Kind::map);
  ASSERT_EQ(root.entries.size(), 2u);
  EXPECT_EQ(root.entries[0].key, "b");
  EXPECT_EQ(root.entries[0].value.mark.text(), "a.yaml:1:4");
  const auto& a = root.entries[1].value;
  EXPECT_EQ(root.entries[1].key_mark.text(), "a.yaml:2:1");
  EXPECT_TRUE(a.find("c")->value.quoted);
  EXPECT_FALSE(root.find("b")->value.quoted);
  EXPECT_EQ(a.find("d")->value.items[1].find("e")->value.mark.text(), "a.yaml:4:14");
  EXPECT_EQ(a.find("n")->value.kind, ConfigNode::Kind::null);
  EXPECT_EQ(a.find("n")->value.mark.text(), "a.yaml:5:3");
  EXPECT_EQ(a.find("absent"), nullptr);
}

TEST(YamlParser, EmptyTextIsNull) {
  EXPECT_EQ(parse_yaml("", "a.yaml").kind, ConfigNode::Kind::null);
  EXPECT_EQ(parse_yaml("# only a comment\n", "a.yaml").kind, ConfigNode::Kind::null);
}

TEST(YamlParser, AcceptsWindowsLineEndsByteOrderMarkAndOneDocumentStart) {
  EXPECT_EQ(parse_yaml("a: 1\r\nb: 2\r\n", "a.yaml").find("b")->value.scalar, "2");
  EXPECT_EQ(parse_yaml("\xef\xbb\xbf"
                       "a: 1\n",
                       "a.yaml")
                .find("a")
                ->value.scalar,
            "1");
  EXPECT_EQ(parse_yaml("---\na: 1\n...\n", "a.yaml").find("a")->value.scalar, "1");
}

TEST(YamlParser, BlockScalarsKeepTheirLastLine) {
  EXPECT_EQ(parse_yaml("a: |\n  x\n  y\n", "a.yaml").find("a")->value.scalar, "x\ny\n");
  EXPECT_EQ(parse_yaml("a: |-\n  x", "a.yaml").find("a")->value.scalar, "x");
}

TEST(YamlParser, RefusesEqualKeys) {
  EXPECT_EQ(error_of("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
            "a.yaml:5:3: key 'c' is given twice, first in line 3");
}

TEST(YamlParser, RefusesAnchorsAndAliases) {
  for (const auto* text : {"a: &x 1\n", "a: &x [1]\n", "a: &x {b: 1}\n", "a: &x\n", "&x a: 1\n"}) {
    EXPECT_THAT(error_of(text), HasSubstr("anchors (&) and aliases (*) are not supported")) << text;
  }
  EXPECT_THAT(error_of("b: 1\na: &a [*a]\n"), StartsWith("a.yaml:2:4: "));
  EXPECT_THAT(error_of("a: *x\n"), StartsWith("a.yaml:1:"));
}

TEST(YamlParser, RefusesTags) {
  for (const auto* text :
       {"a: !!str 3\n", "a: !foo x\n", "a: !!map {b: 1}\n", "a: !!seq [1]\n", "!!str a: 1\n"}) {
    EXPECT_THAT(error_of(text), HasSubstr("is not supported; remove it")) << text;
  }
}

TEST(YamlParser, RefusesKeysThatAreNotText) {
  for (const auto* text : {"? [1, 2]\n: 3\n", "{a: 1}: 2\n", "~: 1\n", ": 1\n"}) {
    EXPECT_THAT(error_of(text), HasSubstr("key")) << text;
  }
}

TEST(YamlParser, RefusesASecondDocument) {
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "a.yaml:2:1: a second document; only one is allowed in a file");
  EXPECT_THAT(error_of("{a: 1}garbage\n"), HasSubstr("a second document"));
}

TEST(YamlParser, RefusesDeepNesting) {
  std::string deep, limit;
  for (int i = 0; i < 70; ++i) deep += std::string(static_cast<std::size_t>(i) * 2, ' ') + "a:\n";
  EXPECT_THAT(error_of(deep + std::string(140, ' ') + "a: 1\n"),
              HasSubstr("nested more than 64 levels deep"));
  for (int i = 0; i < 63; ++i) limit += std::string(static_cast<std::size_t>(i) * 2, ' ') + "a:\n";
  EXPECT_EQ(error_of(limit + std::string(126, ' ') + "a: 1\n"), "no error");
  EXPECT_THAT(error_of("a: " + std::string(100000, '[')), StartsWith("a.yaml:1:"));
}

TEST(YamlParser, RefusesLargeTextsAndManyValues) {
  EXPECT_THAT(error_of("a: " + std::string(detail::kMaxYamlBytes, 'x')),
              HasSubstr("larger than 4194304 bytes"));
  std::string many = "a: [";
  for (std::size_t i = 0; i < detail::kMaxYamlNodes; ++i) many += "1,";
  EXPECT_THAT(error_of(many + "]"), HasSubstr("more than 100000 values"));
}

TEST(YamlParser, RefusesBrokenUtf8WithItsPlace) {
  EXPECT_EQ(error_of("a: 1\nb: x\xff\n"), "a.yaml:2:5: not valid UTF-8; save the file as UTF-8");
  EXPECT_THAT(error_of("a: \xc0\xaf\n"), HasSubstr("not valid UTF-8"));      // overlong
  EXPECT_THAT(error_of("a: \xed\xa0\x80\n"), HasSubstr("not valid UTF-8"));  // surrogate
  EXPECT_THAT(error_of("a: \xe2\x82"), HasSubstr("not valid UTF-8"));        // cut off
  EXPECT_EQ(error_of("a: \xc3\xa9\n"), "no error");
}

TEST(YamlParser, RefusesControlCharactersRawAndEscaped) {
  EXPECT_EQ(error_of("a: x\x01\n"), "a.yaml:1:5: control character 0x01 is not allowed");
  EXPECT_THAT(error_of(std::string("a: x\0y\n", 7)), HasSubstr("0x00"));
  EXPECT_THAT(error_of("a: 1\rb: 2\n"), HasSubstr("0x0d"));
  EXPECT_THAT(error_of("a: \"x\\0y\"\n"), HasSubstr("0x00"));
  EXPECT_EQ(error_of("a: \"x\\ty\\n\"\n"), "no error");
}

TEST(YamlParser, SyntaxErrorsSayWhere) {
  EXPECT_THAT(error_of("a: 1\nb: [1, 2\n"),
              StartsWith("a.yaml:2:4: not valid YAML: the list that begins here"));
  EXPECT_THAT(error_of("a: 1\nb: {c: 1\n"),
              StartsWith("a.yaml:2:4: not valid YAML: the map that begins here"));
  EXPECT_THAT(error_of("[1, 2\n"), StartsWith("a.yaml:1:1: "));
  EXPECT_THAT(error_of("a:\n\t- 1\n"), StartsWith("a.yaml:2:2: not valid YAML"));
  EXPECT_THAT(error_of("a: 1 b: 2\n"), StartsWith("a.yaml:1:7: not valid YAML"));
}

TEST(YamlParser, ATabIsNamedWhereSpacesBelong) {
  for (const auto* text : {"a:\n\tb: 1\n", "a:\n\t- 1\n", "a:\n  b: 1\n\tc: 2\n"}) {
    EXPECT_THAT(error_of(text), HasSubstr("tab")) << text;
  }
  EXPECT_THAT(error_of("a: 1 b: 2\n"), Not(HasSubstr("tab")));
  EXPECT_THAT(error_of("a: x\ty b: 2\n"), Not(HasSubstr("tab"))) << "a tab in a text does no harm";
}

TEST(YamlParser, AQuoteThatIsNotClosedIsAnError) {
  for (const auto* text : {"a: \"x\n", "a: \"x", "a: 'x\n", "a: 'x"}) {
    EXPECT_THAT(error_of(text), HasSubstr("a quote before this place is not closed")) << text;
  }
}

TEST(YamlParser, DamagedFilesGiveConfigErrorsOnly) {
  const std::string whole =
      "base: x\nmodel: {arch: \"ViT-B/16\", mean: [0.1, 0.2]}\ntrain:\n  lr: 5.e-6\n  list:\n  - a\n  - "
      "'b'\n  t: |\n    x\n";
  std::mt19937 random(7);  // one fixed sequence
  const std::string bytes = "{}[]:,&*!|>'\"%@`#-? \n\t\xff\x01~0a.";
  for (int round = 0; round < 3000; ++round) {
    std::string text = whole;
    for (int edit = 0; edit < 1 + round % 4; ++edit) {
      const std::size_t place = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(place, 1 + random() % 8);
        if (text.empty()) text.push_back('a');
      } else {
        text.insert(place, 1, bytes[random() % bytes.size()]);
      }
    }
    try {
      parse_yaml(text, "a.yaml");
    } catch (const ConfigError& error) {
      EXPECT_THAT(std::string(error.what()), StartsWith("a.yaml:")) << text;
    }
  }
}

}  // namespace
}  // namespace actionclip
