#include "actionclip/text/prompt_generator.h"

#include <map>
#include <optional>
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
  static constexpr std::int64_t kStart = 256;

  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> tokens{kStart};
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    tokens.push_back(end_token());
    return tokens;
  }
  std::int64_t vocabulary_size() const override { return 258; }
  std::optional<std::int64_t> start_token() const override { return kStart; }
  std::int64_t end_token() const override { return 257; }
  std::string fingerprint() const override { return "bytes"; }
};

PromptGenerator make_generator(std::vector<std::string> labels, std::vector<std::string> templates,
                               std::int64_t context_length = 6, bool truncate = false,
                               Descriptions descriptions = {}) {
  return PromptGenerator(std::make_shared<ByteTokenizer>(), std::move(labels), std::move(templates),
                         context_length, truncate, std::move(descriptions));
}

PromptGenerator make_context(std::vector<std::string> labels, Placeholders placeholders,
                             std::int64_t context_length = 8, bool truncate = false) {
  return PromptGenerator(std::make_shared<ByteTokenizer>(), std::move(labels), {"{}"}, context_length,
                         truncate, {}, placeholders);
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
  EXPECT_EQ(prompts.num_prompts(), 2);
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

TEST(PromptGenerator, DescriptionsFillTheTemplatesInThePlaceOfTheLabel) {
  const auto prompts = make_generator({"a", "b"}, {"{}", "x{}"}, 6, false, {{"p", "q", "r"}, {"s", "t"}});
  EXPECT_EQ(prompts.num_prompts(), 6);
  const auto all = [&](std::int64_t label_id) {
    std::vector<std::string> texts;
    for (std::int64_t p = 0; p < prompts.num_prompts(); ++p) {
      texts.push_back(prompts.prompt(p, label_id));
      EXPECT_THAT(prompts.tokens(p, label_id)[texts.back().size()], texts.back().back());
    }
    return texts;
  };
  EXPECT_THAT(all(0), ElementsAre("p", "q", "r", "xp", "xq", "xr"));
  EXPECT_THAT(all(1), ElementsAre("s", "t", "s", "xs", "xt", "xs")) << "its own, repeated in turn";
}

TEST(PromptGenerator, RandomPromptsUseEachOfALabelsDescriptionsEqually) {
  const auto prompts = make_generator({"a", "b"}, {"{}w", "{}x"}, 6, false, {{"p", "q", "r"}, {"s", "t"}});
  std::map<std::pair<std::int64_t, std::int64_t>, int> counts;
  for (std::int64_t index = 0; index < 4000; ++index) {
    const auto row = prompts.random(7, 3, index, 1);
    ++counts[{row[1], row[2]}];
  }
  ASSERT_EQ(counts.size(), 4u) << "s and t with w and x";
  for (const auto& [letters, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(PromptGenerator, DescriptionsAreOfEveryLabelOrNone) {
  const auto error = [](Descriptions descriptions) {
    return error_of([&] { make_generator({"a", "b"}, {"{}"}, 6, false, descriptions); });
  };
  EXPECT_THAT(error({{"p"}, {}}), HasSubstr("1 labels have descriptions, of 2"));
  EXPECT_THAT(error({{"p"}}), HasSubstr("1 labels have descriptions, of 2"));
  EXPECT_THAT(error({{"p"}, {"q"}, {"r"}}), HasSubstr("3 labels have descriptions, of 2"));
  EXPECT_THAT(error({{"pppppp"}, {"q"}}), HasSubstr("\"pppppp\" has 8 tokens"));
}

TEST(PromptGenerator, LongPromptsAreRefusedOrCut) {
  EXPECT_THAT(error_of([] {
                make_generator({"a", "abcdef"}, {"{}"});
              }),
              HasSubstr("\"abcdef\" has 8 tokens"));
  EXPECT_THAT(make_generator({"a", "abcdef"}, {"{}"}, 6, true).tokens(0, 1),
              ElementsAre(256, 'a', 'b', 'c', 'd', 257));
}

TEST(LearnedPrompts, PlaceholdersStandBeforeOrBehindTheLabelOrOnBothSides) {
  const auto begin = make_context({"ab", "c"}, {.before = 3, .behind = 0});
  EXPECT_THAT(begin.all(), ElementsAre(256, 0, 0, 0, 'a', 'b', 257, 0,  //
                                       256, 0, 0, 0, 'c', 257, 0, 0));
  EXPECT_THAT(begin.placeholder_positions(), ElementsAre(1, 2, 3, 1, 2, 3));
  const auto middle = make_context({"ab", "c"}, {.before = 1, .behind = 2});
  EXPECT_THAT(middle.all(), ElementsAre(256, 0, 'a', 'b', 0, 0, 257, 0,  //
                                        256, 0, 'c', 0, 0, 257, 0, 0));
  EXPECT_THAT(middle.placeholder_positions(), ElementsAre(1, 4, 5, 1, 3, 4));
  const auto end = make_context({"ab", "c"}, {.before = 0, .behind = 3});
  EXPECT_THAT(end.all(), ElementsAre(256, 'a', 'b', 0, 0, 0, 257, 0,  //
                                     256, 'c', 0, 0, 0, 257, 0, 0));
  EXPECT_THAT(end.placeholder_positions(), ElementsAre(3, 4, 5, 2, 3, 4));
}

TEST(LearnedPrompts, ThereIsOnePromptOfALabelWhateverTheTemplates) {
  const PromptGenerator prompts(std::make_shared<ByteTokenizer>(), {"a", "b"}, {"x{}", "{}y"}, 8,
                                /*truncate=*/false, {}, {.before = 2, .behind = 0});
  EXPECT_EQ(prompts.num_prompts(), 1);
  EXPECT_EQ(prompts.num_labels(), 2);
  EXPECT_EQ(prompts.num_placeholders(), 2);
  EXPECT_THAT(prompts.templates(), ElementsAre("{}"));
  EXPECT_EQ(prompts.prompt(0, 1), "b");
  for (std::int64_t index = 0; index < 8; ++index)
    EXPECT_THAT(prompts.random(1, 0, index, 1), ElementsAre(256, 0, 0, 'b', 257, 0, 0, 0));
}

TEST(LearnedPrompts, WithoutPlaceholdersThereAreNoPositions) {
  const auto prompts = make_generator({"a"}, {"{}"});
  EXPECT_EQ(prompts.num_placeholders(), 0);
  EXPECT_TRUE(prompts.placeholder_positions().empty());
}

TEST(LearnedPrompts, ALabelThatLeavesNoRoomIsRefusedOrCut) {
  EXPECT_THAT(error_of([] {
                make_context({"a", "abcd"}, {.before = 1, .behind = 2}, 8);
              }),
              AllOf(HasSubstr("\"abcd\" has 6 tokens and the learned context 3 more"),
                    HasSubstr("context holds 8"), HasSubstr("text.truncate")));
  const auto cut = make_context({"a", "abcd"}, {.before = 1, .behind = 2}, 8, /*truncate=*/true);
  EXPECT_THAT(cut.tokens(0, 0), ElementsAre(256, 0, 'a', 0, 0, 257, 0, 0));
  EXPECT_THAT(cut.tokens(0, 1), ElementsAre(256, 0, 'a', 'b', 'c', 0, 0, 257));
  EXPECT_THAT(cut.placeholder_positions(), ElementsAre(1, 3, 4, 1, 5, 6));
}

TEST(LearnedPrompts, AContextThatFillsTheTextIsRefusedAndOneThatLeavesStartAndEndIsNot) {
  EXPECT_THAT(error_of([] { make_context({"a"}, {.before = 7, .behind = 0}, 8, true); }),
              HasSubstr("7 vectors, with start and end token, does not fit into the 8 tokens"));
  EXPECT_THAT(make_context({"a"}, {.before = 6, .behind = 0}, 8, true).all(),
              ElementsAre(256, 0, 0, 0, 0, 0, 0, 257));
}

// Some vocabularies begin with the end token, pad with it, and know no start token.
class EndFirstTokenizer : public ByteTokenizer {
 public:
  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    tokens.push_back(end_token());
    return tokens;
  }
  std::optional<std::int64_t> start_token() const override { return std::nullopt; }
  std::int64_t end_token() const override { return 0; }
};

TEST(LearnedPrompts, PlaceholdersAreNeverTakenForTheEndToken) {
  const PromptGenerator prompts(std::make_shared<EndFirstTokenizer>(), {"ab"}, {"{}"}, 8, /*truncate=*/false,
                                {}, {.before = 1, .behind = 2});
  EXPECT_THAT(prompts.all(), ElementsAre(1, 'a', 'b', 1, 1, 0, 0, 0));
  EXPECT_THAT(prompts.placeholder_positions(), ElementsAre(0, 3, 4));
}

TEST(LearnedPrompts, ALabelThatSpellsTheEndTokenIsRefused) {
  const std::string label("a\0b", 3);
  EXPECT_THAT(error_of([&] {
                PromptGenerator(std::make_shared<EndFirstTokenizer>(), {label}, {"{}"}, 8, /*truncate=*/false,
                                {}, {.before = 0, .behind = 2});
              }),
              HasSubstr("spells the end token"));
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
              HasSubstr("prompt 1 does not exist; there are 0 to 0"));
  EXPECT_THAT(error_of([&] { prompts.tokens(-1, 0); }), HasSubstr("prompt -1"));
  EXPECT_THAT(error_of([&] { prompts.prompt(0, 2); }),
              HasSubstr("label id 2 does not exist; there are 0 to 1"));
  EXPECT_THAT(error_of([&] { prompts.random(0, 0, 0, -1); }), HasSubstr("label id -1"));
}

}  // namespace
}  // namespace actionclip
