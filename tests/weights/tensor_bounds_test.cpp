#include "weights/tensor_bounds.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(TensorBounds, BytesOfAShapeAreCountedWithoutOverflow) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(checked_byte_count(DType::kFloat32, {}), 4);
  EXPECT_EQ(checked_byte_count(DType::kFloat16, {2, 3}), 12);
  EXPECT_EQ(checked_byte_count(DType::kFloat16, {2, 0, 3}), 0);
  EXPECT_EQ(checked_byte_count(DType::kUInt8, {kLargest}), kLargest);
  EXPECT_FALSE(checked_byte_count(DType::kFloat16, {kLargest}));
  EXPECT_FALSE(checked_byte_count(DType::kUInt8, {0, kLargest, 2}));
  EXPECT_FALSE(checked_byte_count(DType::kUInt8, {-1}));
  EXPECT_FALSE(checked_byte_count(DType::kUInt8, std::vector<std::int64_t>(65, 1)));
}

TEST(QuotedName, EscapesWhatDoesNotBelongIntoALine) {
  EXPECT_EQ(quoted_name("visual.proj"), R"("visual.proj")");
  EXPECT_EQ(quoted_name("ünï — 名"), R"("ünï — 名")");
  EXPECT_EQ(quoted_name("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted_name("a\nb\r\t"), R"("a\x0ab\x0d\x09")");
  EXPECT_EQ(quoted_name(std::string("a\0b", 3)), R"("a\x00b")");
  EXPECT_EQ(quoted_name("\x1b[31m\x7f"), R"("\x1b[31m\x7f")");
  EXPECT_EQ(quoted_name("\xc2\x85\xe2\x80\xa8"), R"("\xc2\x85\xe2\x80\xa8")");
  EXPECT_EQ(quoted_name("\xff"
                        "a\xc3"),
            R"("\xffa\xc3")");
}

TEST(QuotedName, CutsLongNamesBetweenCharacters) {
  EXPECT_EQ(quoted_name(std::string(200, 'a')), '"' + std::string(200, 'a') + '"');
  EXPECT_EQ(quoted_name(std::string(201, 'a')), '"' + std::string(200, 'a') + "...\"");
  EXPECT_EQ(quoted_name(std::string(199, 'a') + "üü"), '"' + std::string(199, 'a') + "ü...\"");
}

TEST(OneLine, JoinsLinesAndEscapesTheRest) {
  EXPECT_EQ(on_one_line("x.yaml:1: a \"b\"\nx.yaml:2: \x1b"), R"(x.yaml:1: a "b"; x.yaml:2: \x1b)");
  EXPECT_EQ(on_one_line(""), "");
}

TEST(PlainText, IsOneLineOfUtf8) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("visual.ünï \"a\" \\"));
  for (const char* text :
       {"a\nb", "a\r", "\x1b", "\x7f", "\xc2\x85", "\xe2\x80\xa9", "\xff", "a\xc3", "\xed\xa0\x80"})
    EXPECT_FALSE(is_plain_text(text)) << text;
}

TEST(TensorBounds, AnItemOfAMessageIsCutBetweenCharacters) {
  EXPECT_EQ(shortened("short"), "short");
  EXPECT_EQ(shortened(std::string(120, 'a')), std::string(120, 'a'));
  EXPECT_EQ(shortened("abcdef", 3), "abc...");
  EXPECT_EQ(shortened("ab\xc3\xa9\xc3\xa9", 3), "ab\xc3\xa9...");
  EXPECT_EQ(shortened("ab\xc3\xa9", 3), "ab\xc3\xa9");
}

TEST(TensorBounds, OfManyItemsTheFirstAreListedAndTheOthersCounted) {
  EXPECT_EQ(listed({}, "; "), "");
  EXPECT_EQ(listed(std::vector<std::string>{"a", "b"}, "; "), "a; b");
  std::vector<std::string> items(20, "x");
  EXPECT_EQ(listed(items, ",").size(), 39u);
  items.insert(items.end(), 3, "y");
  EXPECT_TRUE(listed(items, ", ").ends_with("x, and 3 more"));
  EXPECT_EQ(listed(std::vector<std::string>{std::string(500, 'a')}, "; "), std::string(120, 'a') + "...");
}

}  // namespace
}  // namespace actionclip
