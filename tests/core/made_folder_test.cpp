// A folder that is made once.

#include "actionclip/core/made_folder.h"

#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

TEST(MadeFolder, IsMadeOnceForTheSameSettings) {
  const TemporaryFolder folder;
  int calls = 0;
  const auto fill = [&](const std::filesystem::path& place) {
    ++calls;
    write_text(place / "file", "content");
  };
  EXPECT_TRUE(make_folder_once(folder / "made/", "{1}", fill));
  EXPECT_EQ(read_text(folder / "made/file"), "content");
  EXPECT_FALSE(make_folder_once(folder / "made", "{1}", fill));
  EXPECT_THROW(make_folder_once(folder / "made", "{2}", fill), Error);
  EXPECT_EQ(calls, 1);
}

TEST(MadeFolder, IsMadeAnewWhenAskedAndOnlyInThePlaceOfAnother) {
  const TemporaryFolder folder;
  const auto fill_with = [](const std::string& text) {
    return [text](const std::filesystem::path& place) { write_text(place / "file", text); };
  };
  EXPECT_TRUE(make_folder_once(folder / "made", "{1}", fill_with("first"), /*anew=*/true));
  write_text(folder / "made/other", "");
  EXPECT_TRUE(make_folder_once(folder / "made", "{1}", fill_with("second"), /*anew=*/true));
  EXPECT_EQ(read_text(folder / "made/file"), "second");
  EXPECT_FALSE(std::filesystem::exists(folder / "made/other"));
  EXPECT_TRUE(make_folder_once(folder / "made", "{2}", fill_with("third"), /*anew=*/true));
  EXPECT_THROW(make_folder_once(
                   folder / "made", "{2}", [](const auto&) { throw Error("disk full"); }, /*anew=*/true),
               Error);
  EXPECT_EQ(read_text(folder / "made/file"), "third") << "what was there is there";
  folder.write("mine/thesis.txt", "");
  EXPECT_THROW(make_folder_once(folder / "mine", "{2}", fill_with("x"), /*anew=*/true), Error);
  EXPECT_TRUE(std::filesystem::exists(folder / "mine/thesis.txt"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()),
                          std::filesystem::directory_iterator()),
            2);
}

TEST(AddedFiles, LieBesideOthersWhichStay) {
  const TemporaryFolder folder;
  const auto fill_with = [](const std::string& text) {
    return [text](const std::filesystem::path& place) { write_text(place / "file", text); };
  };
  folder.write("mine/thesis.txt", "years");
  EXPECT_TRUE(add_files_once(folder / "mine/", "{1}", fill_with("first")));
  EXPECT_FALSE(add_files_once(folder / "mine", "{1}", fill_with("second")));
  EXPECT_THROW(add_files_once(folder / "mine", "{2}", fill_with("second")), Error);
  EXPECT_EQ(read_text(folder / "mine/file"), "first");
  EXPECT_TRUE(add_files_once(folder / "mine", "{2}", fill_with("second"), /*anew=*/true));
  EXPECT_EQ(read_text(folder / "mine/file"), "second");
  EXPECT_EQ(read_text(folder / "mine/settings.json"), "{2}");
  EXPECT_EQ(read_text(folder / "mine/thesis.txt"), "years");

  folder.write("yours/file", "yours");
  for (const bool anew : {false, true})
    EXPECT_THROW(add_files_once(folder / "yours", "{1}", fill_with("x"), anew), Error);
  EXPECT_EQ(read_text(folder / "yours/file"), "yours");
  EXPECT_FALSE(std::filesystem::exists(folder / "yours/settings.json"));
  EXPECT_TRUE(add_files_once(folder / "new", "{1}", fill_with("x")));
  EXPECT_THROW(add_files_once(folder / "other", "{1}", [](const auto&) { throw Error("disk full"); }), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()),
                          std::filesystem::directory_iterator()),
            3)
      << "nothing is left beside them";
}

TEST(MadeFolder, NothingIsLeftOfOneThatCouldNotBeFilled) {
  const TemporaryFolder folder;
  const auto fill = [](const std::filesystem::path& place) {
    write_text(place / "file", "half");
    throw Error("disk full");
  };
  EXPECT_THROW(make_folder_once(folder / "made", "{}", fill), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace actionclip
