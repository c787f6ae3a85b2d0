// Files beside others: which of them a command may replace.

#include "actionclip/core/added_files.h"

#include <filesystem>
#include <functional>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Fill = std::function<void(const std::filesystem::path&)>;

Fill file_with(const std::string& text, const std::string& name = "file") {
  return [text, name](const std::filesystem::path& place) { write_text(place / name, text); };
}

class AddedFiles : public ::testing::Test {
 protected:
  bool add(const std::string& settings, const Fill& fill, bool anew = false) {
    return add_files_once(folder_ / "mine", "record.json", settings, fill, anew);
  }
  std::string error_of(const std::string& settings, const Fill& fill, bool anew = false) {
    try {
      add(settings, fill, anew);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  std::string text(const std::string& name) { return read_text(folder_ / ("mine/" + name)); }
  std::ptrdiff_t count() {
    return std::distance(std::filesystem::directory_iterator(folder_ / "mine"),
                         std::filesystem::directory_iterator());
  }

  TemporaryFolder folder_;
};

TEST_F(AddedFiles, AreWrittenOnceForTheSameSettingsBesideOthersWhichStay) {
  folder_.write("mine/thesis.txt", "years");
  folder_.write("mine/settings.json", "of something else");
  EXPECT_TRUE(add("1", file_with("first")));
  EXPECT_FALSE(add("1", file_with("second")));
  EXPECT_THAT(error_of("2", file_with("second")), HasSubstr("other settings (record.json)"));
  EXPECT_EQ(text("file"), "first");
  EXPECT_TRUE(add("2", file_with("second"), /*anew=*/true));
  EXPECT_EQ(text("file"), "second");
  EXPECT_EQ(text("thesis.txt"), "years");
  EXPECT_EQ(text("settings.json"), "of something else");
  EXPECT_THAT(added_files(folder_ / "mine", "record.json"), ElementsAre("file"));
  EXPECT_EQ(count(), 4);
}

TEST_F(AddedFiles, WhatNoEarlierCallWroteIsNeverReplaced) {
  folder_.write("mine/file", "yours");
  for (const bool anew : {false, true})
    EXPECT_THAT(error_of("1", file_with("x"), anew), HasSubstr("mine/file is there already"));
  EXPECT_EQ(count(), 1);
  std::filesystem::remove(folder_ / "mine/file");
  EXPECT_TRUE(add("1", file_with("x")));
  folder_.write("mine/later", "yours");
  EXPECT_THAT(error_of("2", file_with("x", "later"), /*anew=*/true),
              HasSubstr("mine/later is there already"));
  std::filesystem::create_symlink("nowhere", folder_ / "mine/link");
  EXPECT_THAT(error_of("2", file_with("x", "link"), /*anew=*/true), HasSubstr("mine/link is there already"));
  EXPECT_EQ(text("later"), "yours");
  EXPECT_EQ(text("file"), "x");
  folder_.write("mine/record.json", "yours");
  EXPECT_THAT(error_of("1", file_with("x"), /*anew=*/true), HasSubstr("record.json: is not what"));
  EXPECT_THAT(added_files(folder_ / "mine", "record.json"), IsEmpty());
}

TEST_F(AddedFiles, ThoseThatAreNotWrittenAnewGo) {
  EXPECT_TRUE(add("1", file_with("x", "old")));
  EXPECT_TRUE(add("2", file_with("y", "new"), /*anew=*/true));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "mine/old"));
  EXPECT_EQ(count(), 2);
}

TEST_F(AddedFiles, AnInterruptedCallIsMadeGood) {
  EXPECT_TRUE(add("1", file_with("x", "old")));
  folder_.write("mine/record.json", R"({"settings": "", "files": ["new", "old"]})");
  folder_.write("mine/new", "half of it");
  EXPECT_TRUE(add("2", file_with("y", "new")));
  EXPECT_EQ(text("new"), "y");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "mine/old"));
  EXPECT_FALSE(add("2", file_with("z", "new")));
}

TEST_F(AddedFiles, NothingIsLeftOfACallThatFails) {
  const Fill fails = [](const std::filesystem::path& place) {
    write_text(place / "file", "half");
    throw Error("disk full");
  };
  EXPECT_THAT(error_of("1", fails), HasSubstr("disk full"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "mine"));
  EXPECT_TRUE(add("1", file_with("whole")));
  EXPECT_THAT(error_of("2", fails, /*anew=*/true), HasSubstr("disk full"));
  EXPECT_EQ(text("file"), "whole");
  EXPECT_EQ(count(), 2);
}

}  // namespace
}  // namespace actionclip
