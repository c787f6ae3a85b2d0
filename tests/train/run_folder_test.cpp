#include "actionclip/train/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/train/checkpoint.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

fs::path save(const fs::path& run, std::int64_t step) { return save_checkpoint(run, step, {}); }

TEST(FindResumePoint, NoRequestResumesNothing) {
  const TemporaryFolder folder;
  save(folder.path(), 3);
  EXPECT_EQ(find_resume_point(folder.path(), ""), std::nullopt);
}

TEST(FindResumePoint, NewestAndAutoTakeTheNewestCheckpointThatIsWhole) {
  const TemporaryFolder folder;
  const auto older = save(folder.path(), 9), newest = save(folder.path(), 10);
  EXPECT_EQ(find_resume_point(folder.path(), "newest"), newest);
  EXPECT_EQ(find_resume_point(folder.path(), "auto"), newest);
  write_text(newest / "state.json", "damaged");
  EXPECT_EQ(find_resume_point(folder.path(), "newest"), older);
  EXPECT_EQ(find_resume_point(folder.path(), "auto"), older);
}

TEST(FindResumePoint, WithoutACheckpointAutoStartsFreshAndNewestIsAnError) {
  const TemporaryFolder folder;
  EXPECT_EQ(find_resume_point(folder / "run", "auto"), std::nullopt);
  EXPECT_THROW(find_resume_point(folder / "run", "newest"), Error);
}

TEST(FindResumePoint, AFolderIsTakenAsItIs) {
  const TemporaryFolder folder;
  save(folder.path(), 10);
  EXPECT_EQ(find_resume_point(folder.path(), "other/checkpoints/best"), fs::path("other/checkpoints/best"));
}

TEST(OpenRunFolder, RefusesAFolderThatHoldsARunUnlessItIsResumed) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  (void)open_run_folder(run, {}, std::nullopt);
  EXPECT_EQ(read_text(run / "config.yaml"), to_yaml(Experiment()));
  const auto own = save(run, 1);
  Experiment other;
  other.seed = 5;
  EXPECT_THROW((void)open_run_folder(run, other, std::nullopt), Error);
  EXPECT_THROW((void)open_run_folder(run, other, save(folder / "another", 1)), Error);
  EXPECT_EQ(read_text(run / "config.yaml"), to_yaml(Experiment()));
  (void)open_run_folder(run, other, own);
  const auto lock = open_run_folder(run, other, run / "checkpoints" / "last");
  EXPECT_THROW((void)open_run_folder(run, other, own), Error) << "in use";
  EXPECT_EQ(read_text(run / "config.yaml"), to_yaml(other));
}

}  // namespace
}  // namespace actionclip
