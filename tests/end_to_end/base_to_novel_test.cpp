// `base-to-novel` as a user runs it.

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BaseToNovel : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  // On the ten few-shot classes, random weights.
  ProgramResult call(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"base-to-novel", "--config", folder_ / "config.yaml", "--output", folder_ / "runs",
                 "--shots", "2", "--seeds", "1,2", "train.epochs=1", "train.schedule.warmup_epochs=0",
                 "data.labels=" + (folder_ / "data/few_shot_labels.csv").string(),
                 "data.train.list=" + (folder_ / "data/few_shot_train.txt").string(),
                 "data.test.list=" + (folder_ / "data/few_shot_test.txt").string()});
    return run_program(more);
  }

  TemporaryFolder folder_;
};

TEST_F(BaseToNovel, PrintsATableAndJsonOfTheSameRuns) {
  const auto table = call({});
  ASSERT_EQ(table.exit_code, 0) << table.errors;
  EXPECT_THAT(table.output,
              AllOf(HasSubstr("5 base classes (5 videos), 5 novel ones (5 videos)"), HasSubstr("harmonic")));
  const auto json = call({"--json"});
  ASSERT_EQ(json.exit_code, 0) << json.errors;
  const auto result = nlohmann::json::parse(json.output);
  EXPECT_EQ(result.at("rows").at(0).at("base").at("values").size(), 2u);
  EXPECT_EQ(result, nlohmann::json::parse(read_text(folder_ / "runs/base_to_novel.json")));
}

TEST_F(BaseToNovel, ATrainingClipInTheTestListStopsItBeforeAnythingIsWritten) {
  const auto test = folder_ / "data/few_shot_test.txt";
  write_text(test, read_text(test) + read_text(folder_ / "data/few_shot_train.txt"));
  const auto refused = call({});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("of the test videos of"), HasSubstr("few_shot_train.txt:"),
                                    HasSubstr("same path")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

TEST_F(BaseToNovel, BothHalvesAreRecordedAndMatchedAsSplitsOfAProtocol) {
  const auto manifest = (folder_ / "halves.yaml").string();
  const auto recorded = call({"--record", manifest});
  ASSERT_EQ(recorded.exit_code, 0) << recorded.errors;
  EXPECT_THAT(read_text(manifest), AllOf(HasSubstr("base:"), HasSubstr("novel:"), HasSubstr("sha256:")));
  const auto matched = call({"--protocol", manifest});
  ASSERT_EQ(matched.exit_code, 0) << matched.errors;
  EXPECT_THAT(matched.output, AllOf(HasSubstr("protocol halves:base: the list matches (5 videos, 5 classes"),
                                    HasSubstr("protocol halves:novel: the list matches")));
  const auto json = nlohmann::json::parse(read_text(folder_ / "runs/base_to_novel.json"));
  EXPECT_EQ(json.at("protocols").at(1).at("name"), "halves:novel");
  EXPECT_THAT(read_text(folder_ / "runs/report.html"), HasSubstr("halves:novel"));

  const auto other = call({"--protocol", "ucf101"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.errors, HasSubstr("protocol ucf101:base: ucf101 has no such split"));
  EXPECT_EQ(call({"--protocol", manifest + ":base"}).exit_code, 2) << "novel is scored too";
}

TEST_F(BaseToNovel, LabelFilesDivideTheClasses) {
  write_text(folder_ / "base.txt", "no such label\n");
  const auto refused = call({"--base-labels", folder_ / "base.txt"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("base.txt"), HasSubstr("no such label")));
}

}  // namespace
}  // namespace actionclip
