#include "core/json_events.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Writes down what it is told, with the line.
class Recorder : public JsonEvents {
 public:
  explicit Recorder(std::string_view stop_at = "") : JsonEvents("f.json"), stop_at_(stop_at) {}

  std::string record;

 private:
  bool add(std::string_view what) {
    record += std::string(what) + "@" + std::to_string(line()) + " ";
    return what != stop_at_;
  }
  bool open(bool is_object) override { return add(is_object ? "{" : "["); }
  bool close() override { return add("end"); }
  bool key(std::string& name) override { return add("key:" + name); }
  bool text(std::string& value) override {
    if (value == "bad") fail("a bad text");
    return add("text:" + value);
  }
  bool integer(std::int64_t value) override { return add(std::to_string(value)); }
  bool other(std::string_view what) override { return add(what); }

  std::string_view stop_at_;
};

std::string record_of(std::string_view text) {
  Recorder recorder;
  recorder.read(text);
  return recorder.record;
}

std::string error_of(std::string_view text) {
  try {
    record_of(text);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(JsonEvents, ComeInOrderWithTheirLines) {
  EXPECT_EQ(record_of("[\n{\"a\": \"b\",\n \"n\": 3}, -4,\r\n null, true, 0.5]"),
            "[@1 {@2 key:a@2 text:b@2 key:n@3 3@3 end@3 -4@3 null@4 true@4 a fraction@4 end@4 ");
  EXPECT_EQ(record_of("\"caf\xc3\xa9\""), "text:caf\xc3\xa9@1 ");
}

TEST(JsonEvents, EndWhereTheReaderHasEnough) {
  Recorder recorder("2");
  recorder.read("[1, 2, 3, this is no JSON");
  EXPECT_EQ(recorder.record, "[@1 1@1 2@1 ");
}

TEST(JsonEvents, WhatIsNoJsonIsNamedByItsLine) {
  EXPECT_THAT(error_of("[1,\n2,\nx]"), StartsWith("f.json:3: is no JSON: "));
  EXPECT_THAT(error_of("[1,\n2"), StartsWith("f.json:2: is no JSON: "));
  EXPECT_THAT(error_of(""), StartsWith("f.json:1: is no JSON: "));
  EXPECT_THAT(error_of("[1] 2"), StartsWith("f.json:1: is no JSON: "));
  EXPECT_THAT(error_of("[\n\"caf\xe9\"]"), StartsWith("f.json:2: is no JSON: "));
  EXPECT_THAT(error_of("[18446744073709551615]"), HasSubstr("does not fit in 63 bits"));
  EXPECT_THAT(error_of("[1e999]"), StartsWith("f.json:1: "));
  EXPECT_EQ(error_of(std::string_view("[1,\n2]\0 x", 9)),
            "f.json:2: holds a zero byte, so it is not a text file");
  EXPECT_EQ(error_of("[\n\n\"bad\"]"), "f.json:3: a bad text");
}

TEST(JsonEvents, DepthTakesNoStack) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(error_of(deep), StartsWith("f.json:1: is no JSON: "));
}

}  // namespace
}  // namespace actionclip
