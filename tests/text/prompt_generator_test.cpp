#include "actionclip/text/prompt_generator.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A token a byte, so that what is expected can be read off the text.
class ByteTokenizer : public Tokenizer {
 public:
  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> tokens{start_token()};
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    tokens.push_back(end_token());
    return tokens;
  }
  std::int64_t vocabulary_size() const override { return 258; }
  std::int64_t start_token() const override { return 256; }
  std::int64_t end_token() const override { return 257; }
  std::string fingerprint() const override { return "bytes"; }
};

PromptGenerator make_generator(std::vector<std::string> labels, std::vector<std::string> templates,
                               std::int64_t context_length = 6, bool truncate = false) {
  return PromptGenerator(std::make_shared<ByteTokenizer>(), std::move(labels), std::move(templates),
                         context_length, truncate);
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Tokenize, RowsArePaddedBehindTheEndToken) {
  const std::vector<std::string> texts{"ab", "", "abc"};
  EXPECT_THAT(tokenize(ByteTokenizer(), texts, 5, false),
              ElementsAre(256, 'a', 'b', 257, 0, 256, 257, 0, 0, 0, 256, 'a', 'b', 'c', 257));
}

TEST(Tokenize, LongTextIsNamedWithItsTokens) {
  const std::vector<std::string> texts{"ab", "abcd"};
  EXPECT_THAT(error_of([&] { tokenize(ByteTokenizer(), texts, 5, false); }),
              AllOf(HasSubstr("\"abcd\" has 6 tokens, the context holds 5"), HasSubstr("text.truncate"),
                    HasSubstr("--truncate")));
  const std::vector<std::string> endless{std::string(79, 'x') + "\xc3\xa9\n" + std::string(100000, 'x')};
  EXPECT_LT(error_of([&] { tokenize(ByteTokenizer(), endless, 5, false); }).size(), 250u);
}

TEST(Tokenize, TruncatedTextKeepsItsEndToken) {
  const std::vector<std::string> texts{"abcd", "abc"};
  EXPECT_THAT(tokenize(ByteTokenizer(), texts, 5, true),
              ElementsAre(256, 'a', 'b', 'c', 257, 256, 'a', 'b', 'c', 257));
}

TEST(Tokenize, ContextNeedsRoomForStartAndEnd) {
  const std::vector<std::string> texts{""};
  for (const std::int64_t length : {-1, 0, 1}) {
    EXPECT_THAT(error_of([&] { tokenize(ByteTokenizer(), texts, length, true); }), HasSubstr("at least 2"));
  }
  EXPECT_THAT(tokenize(ByteTokenizer(), texts, 2, false), ElementsAre(256, 257));
}

TEST(PromptGenerator, AllHoldsEveryTemplateOfEveryLabel) {
  const auto prompts = make_generator({"a", "b", "c"}, {"{}", "x{}"}, 4);
  EXPECT_EQ(prompts.num_templates(), 2);
  EXPECT_EQ(prompts.num_labels(), 3);
  EXPECT_EQ(prompts.context_length(), 4);
  EXPECT_THAT(prompts.all(), ElementsAre(256, 'a', 257, 0, 256, 'b', 257, 0, 256, 'c', 257, 0,  //
                                         256, 'x', 'a', 257, 256, 'x', 'b', 257, 256, 'x', 'c', 257));
  EXPECT_THAT(prompts.tokens(1, 2), ElementsAre(256, 'x', 'c', 257));
  EXPECT_EQ(prompts.prompt(1, 2), "xc");
}

TEST(PromptGenerator, RandomPromptIsAFunctionOfSeedEpochAndIndex) {
  const auto prompts = make_generator({"a", "b"}, {"{}", "x{}", "y{}", "z{}"});
  const auto drawn = [&](std::uint64_t seed, std::int64_t epoch) {
    std::vector<std::int64_t> rows;
    for (std::int64_t index = 0; index < 64; ++index) {
      const auto row = prompts.random(seed, epoch, index, index % 2);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
  };
  EXPECT_EQ(drawn(1, 0), drawn(1, 0));
  EXPECT_NE(drawn(1, 0), drawn(2, 0));
  EXPECT_NE(drawn(1, 0), drawn(1, 1));
}

TEST(PromptGenerator, RandomPromptsUseEveryTemplateEquallyAndKeepTheLabel) {
  const auto prompts = make_generator({"a", "b"}, {"{}w", "{}x", "{}y", "{}z"});
  std::map<std::int64_t, int> counts;
  for (std::int64_t index = 0; index < 4000; ++index) {
    const auto row = prompts.random(7, 3, index, 1);
    ASSERT_EQ(row[1], 'b');
    ++counts[row[2]];
  }
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [letter, count] : counts) EXPECT_NEAR(count, 1000, 150) << letter;
}

TEST(PromptGenerator, LongPromptsAreRefusedOrCut) {
  EXPECT_THAT(error_of([] {
                make_generator({"a", "abcdef"}, {"{}"});
              }),
              HasSubstr("\"abcdef\" has 8 tokens"));
  EXPECT_THAT(make_generator({"a", "abcdef"}, {"{}"}, 6, true).tokens(0, 1),
              ElementsAre(256, 'a', 'b', 'c', 'd', 257));
}

TEST(PromptGenerator, RefusesWhatItCannotFill) {
  EXPECT_THAT(error_of([] { make_generator({}, {"{}"}); }), HasSubstr("at least one label"));
  EXPECT_THAT(error_of([] { make_generator({"a"}, {}); }), HasSubstr("one template"));
  EXPECT_THAT(error_of([] { make_generator({"a"}, {"{}", "x"}); }), HasSubstr("template \"x\""));
  EXPECT_THAT(error_of([] { PromptGenerator(nullptr, {"a"}, {"{}"}, 6); }), HasSubstr("need a tokenizer"));
}

TEST(PromptGenerator, RefusesIndicesThatDoNotExist) {
  const auto prompts = make_generator({"a", "b"}, {"{}"});
  EXPECT_THAT(error_of([&] { prompts.tokens(1, 0); }),
              HasSubstr("template 1 does not exist; there are 0 to 0"));
  EXPECT_THAT(error_of([&] { prompts.tokens(-1, 0); }), HasSubstr("template -1"));
  EXPECT_THAT(error_of([&] { prompts.prompt(0, 2); }),
              HasSubstr("label id 2 does not exist; there are 0 to 1"));
  EXPECT_THAT(error_of([&] { prompts.random(0, 0, 0, -1); }), HasSubstr("label id -1"));
}

}  // namespace
}  // namespace actionclip
