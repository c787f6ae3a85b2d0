#include "actionclip/core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LogFile, ReceivesWhatIsLoggedInItsLifetimeAlone) {
  const TemporaryFolder folder;
  spdlog::warn("before");
  {
    const LogFile outer(folder / "outer.log");
    spdlog::warn("first");
    {
      const LogFile inner(folder / "inner.log");
      spdlog::warn("second");
    }
    spdlog::warn("third");
  }
  spdlog::warn("after");
  EXPECT_THAT(read_text(folder / "outer.log"),
              AllOf(HasSubstr("first"), HasSubstr("second"), HasSubstr("third"), Not(HasSubstr("before"))));
  EXPECT_THAT(read_text(folder / "outer.log"), Not(HasSubstr("after")));
  EXPECT_THAT(read_text(folder / "inner.log"),
              AllOf(HasSubstr("second"), Not(HasSubstr("first")), Not(HasSubstr("third"))));
}

TEST(LogFile, ContinuesAFileThatExists) {
  const TemporaryFolder folder;
  for (const char* message : {"one", "two"}) {
    const LogFile file(folder / "train.log");
    spdlog::warn(message);
  }
  EXPECT_THAT(read_text(folder / "train.log"), AllOf(HasSubstr("one"), HasSubstr("two")));
}

TEST(LogFile, OneThatCannotBeOpenedIsAnErrorWithItsPath) {
  const TemporaryFolder folder;
  folder.write("plain", "");
  try {
    const LogFile file(folder / "plain/train.log");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("plain/train.log"));
  }
}

// What ends a run on a full disk is to reach the user.
TEST(LogFile, AnErrorThatCannotBeWrittenIsNotReplacedByAnother) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  LogFile file("/dev/full");
  EXPECT_NO_THROW(file.write_error("cannot save the checkpoint"));
}

}  // namespace
}  // namespace actionclip
