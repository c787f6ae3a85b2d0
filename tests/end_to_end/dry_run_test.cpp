// `train --dry-run` as a user meets it: what it says, and how it ends.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DryRun : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("config.yaml", R"(
model:
  arch: custom
  weights: absent.pt
  frames: 2
  fusion_layers: 1
  embed_dim: 64
  vision: {image_size: 32, patch_size: 16, width: 64, layers: 1, heads: 1}
  text: {context_length: 24, vocabulary_size: 49408, width: 64, layers: 1, heads: 1}
data: {labels: absent.csv, train: {list: absent.txt}, num_workers: 1}
)");
  }

  ProgramResult dry_run(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", "--config", folder_ / "config.yaml", "--dry-run", "--device", "cpu"});
    return run_program(more);
  }

  const TemporaryFolder folder_;
};

TEST_F(DryRun, NeedsNeitherFilesNorARunFolder) {
  const auto result = dry_run();
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, AllOf(HasSubstr("parameters"), HasSubstr("GiB in tensors"),
                                   HasSubstr("absent.pt is not there: random weights"),
                                   HasSubstr("absent.csv is not there"), HasSubstr("absent.txt is not there"),
                                   HasSubstr("batches of 2 clips instead of 256"), HasSubstr("loss")));
}

TEST_F(DryRun, TwoRanksTakeTheStepTogether) {
  const auto result = dry_run({"--nproc", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("batches of 4 clips instead of 256"));
}

TEST_F(DryRun, ATrainingItselfStillNeedsItsFilesAndAFolder) {
  const auto training =
      run_program({"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run"});
  EXPECT_EQ(training.exit_code, 1);
  EXPECT_THAT(training.errors,
              AllOf(HasSubstr("absent.pt"), HasSubstr("absent.csv"), HasSubstr("absent.txt")));
  const auto nowhere = run_program({"train", "--config", folder_ / "config.yaml"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.errors, HasSubstr("--output is required"));
  EXPECT_EQ(dry_run({"--resume"}).exit_code, 2) << "of which run?";
}

TEST_F(DryRun, MistakesInTheSettingsAreStillFound) {
  const auto result = dry_run({"train.epochs=0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("train.epochs"), Not(HasSubstr("loss"))));
}

TEST(InspectConfig, PublishedFilesBecomeExperiments) {
  const TemporaryFolder folder;
  const auto file = folder.write("k400.yaml", "network:\n  arch: ViT-B/32\nsolver:\n  epochs: 30\n");
  const auto mapped = run_program({"inspect", "config", "--published", file});
  ASSERT_EQ(mapped.exit_code, 0) << mapped.errors;
  const auto read = run_program({"inspect", "config", folder.write("own.yaml", mapped.output)});
  EXPECT_EQ(read.exit_code, 0) << read.errors;
  EXPECT_THAT(read.output, HasSubstr("epochs: 30"));
  EXPECT_EQ(run_program({"inspect", "config"}).exit_code, 2);
  EXPECT_EQ(run_program({"inspect", "config", file, "--published", file}).exit_code, 2);
  EXPECT_EQ(run_program({"inspect", "config", "--published", folder / "none.yaml"}).exit_code, 1);
}

}  // namespace
}  // namespace actionclip
