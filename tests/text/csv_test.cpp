#include "actionclip/text/csv.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CsvReader, GivesOneRowAfterTheOtherWithItsLine) {
  const std::string name = "t.csv";
  CsvReader reader("a,b,c\r\n\n\"x\ny\",\"say \"\"z\"\"\"\nlast,", name);
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 1);
  EXPECT_THAT(row.fields, ElementsAre("a", "b", "c"));
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 3);
  EXPECT_THAT(row.fields, ElementsAre("x\ny", "say \"z\""));
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 5);
  EXPECT_THAT(row.fields, ElementsAre("last", ""));
  EXPECT_FALSE(reader.next(row));
}

TEST(CsvReader, ALaterErrorLeavesTheRowsBeforeIt) {
  const std::string name = "t.csv";
  CsvReader reader("a\nb\"\n", name);
  CsvRow row;
  EXPECT_TRUE(reader.next(row));
  EXPECT_THROW(reader.next(row), Error);
}

TEST(CsvField, IsReadBackAsItWas) {
  EXPECT_EQ(csv_field("plain words"), "plain words");
  for (const std::string text : {"", "a,b", "say \"x\"", "two\nlines", "\r", "caf\xe9"}) {
    const auto rows = parse_csv("first," + csv_field(text) + "\n", "t.csv");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_THAT(rows[0].fields, ElementsAre("first", text));
  }
  EXPECT_THAT(parse_csv("", "t.csv"), IsEmpty());
}

}  // namespace
}  // namespace actionclip
