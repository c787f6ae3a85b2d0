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
