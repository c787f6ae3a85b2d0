#include "actionclip/core/text_input.h"

#include <limits>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(WithoutByteOrderMark, TakesOneMarkFromTheStart) {
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB\xBF"
                                    "a"),
            "a");
  EXPECT_EQ(without_byte_order_mark("a\xEF\xBB\xBF"), "a\xEF\xBB\xBF");
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB"), "\xEF\xBB");
  EXPECT_EQ(without_byte_order_mark(""), "");
}

TEST(Trimmed, LosesTheSpaceAtBothEndsAlone) {
  EXPECT_EQ(trimmed(" \t a  b\r\n\v\f"), "a  b");
  EXPECT_EQ(trimmed(" \r\n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(ParseInteger, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "eins"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(ParseNumber, TakesAFiniteNumberOrNothing) {
  EXPECT_EQ(parse_number("0"), 0);
  EXPECT_EQ(parse_number("-12.25"), -12.25);
  EXPECT_EQ(parse_number("1e3"), 1000);
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1,5", "0x1", "inf", "nan", "1e999", "eins"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace actionclip
