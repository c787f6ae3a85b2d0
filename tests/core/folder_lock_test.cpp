#include "actionclip/core/folder_lock.h"

#include <optional>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

TEST(FolderLock, ASecondOneNamesTheHolderUntilTheFirstIsGone) {
  const TemporaryFolder folder;
  std::optional<FolderLock> first(std::in_place, folder.path());
  try {
    const FolderLock second(folder.path());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("is in use by process " + std::to_string(getpid())));
  }
  first.reset();
  EXPECT_NO_THROW(FolderLock(folder.path()));
}

TEST(FolderLock, AMovedOneKeepsTheLock) {
  const TemporaryFolder folder;
  FolderLock first(folder.path());
  const FolderLock second(std::move(first));
  EXPECT_THROW(FolderLock(folder.path()), Error);
}

TEST(FolderLock, AFolderThatDoesNotExistIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(FolderLock(folder / "nowhere"), Error);
}

}  // namespace
}  // namespace actionclip
