#include "actionclip/train/metrics_log.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"
#include "tests/weights/files.h"

namespace actionclip {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::vector<json> lines_of(const std::filesystem::path& folder) {
  std::ifstream stream(folder / "metrics.jsonl");
  std::vector<json> records;
  for (std::string line; std::getline(stream, line);) records.push_back(json::parse(line));
  return records;
}

void append_to_lines(const std::filesystem::path& folder, const std::string& text) {
  std::ofstream(folder / "metrics.jsonl", std::ios::app) << text;
}

json read_with_tensorboard(const std::filesystem::path& folder) {
  return json::parse(run_python("tensorboard_reader.py", {folder.string()}));
}

TEST(MetricsLog, ALineCanBeReadAsSoonAsItIsWritten) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  MetricsLog log(folder / "run", 0, 0);
  log.write(1, {{"split", "train"}, {"epoch", 0.5}, {"loss", 1.25}});
  const auto records = lines_of(folder / "run");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0], (json{{"split", "train"}, {"step", 1}, {"epoch", 0.5}, {"loss", 1.25}}));
}

TEST(MetricsLog, TensorBoardReadsTheSameNumbers) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  {
    MetricsLog log(folder, 0, 0);
    log.write(1, {{"split", "train"}, {"loss", 1.5}, {"lr", 0.0}, {"note", "not a number"}});
    log.write(2, {{"split", "train"}, {"loss", 0.75}, {"lr", 1e-6}});
    log.write(300, {{"split", "val"}, {"top1", 78.125}, {"samples", 19796}});
  }
  const auto read = read_with_tensorboard(folder);
  const json expected = {{"train/loss", {{1, 1.5}, {2, 0.75}}},
                         {"train/lr", {{1, 0.0}, {2, static_cast<double>(1e-6f)}}},
                         {"val/top1", {{300, 78.125}}},
                         {"val/samples", {{300, 19796.0}}}};
  // Each list needs its own comparison: [[1, 2]] in braces would be read as an object by the JSON library.
  ASSERT_EQ(read["scalars"].size(), expected.size());
  for (const auto& [tag, points] : expected.items()) EXPECT_EQ(read["scalars"][tag], points) << tag;
}

TEST(MetricsLog, AResumedRunHasNoGapAndNothingTwice) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  {
    MetricsLog log(folder, 0, 0);
    for (int step = 1; step <= 5; ++step) log.write(step, {{"split", "train"}, {"loss", step}});
  }
  append_to_lines(folder, R"({"split":"train","lo)");  // killed in the middle of a line
  {
    MetricsLog log(folder, 3, 0);
    for (int step = 4; step <= 6; ++step) log.write(step, {{"split", "train"}, {"loss", step * 10}});
  }
  std::vector<int> losses;
  for (const auto& record : lines_of(folder)) losses.push_back(record["loss"]);
  EXPECT_EQ(losses, (std::vector<int>{1, 2, 3, 40, 50, 60}));

  const auto read = read_with_tensorboard(folder);
  EXPECT_EQ(read["files"], 2);
  json points = json::array();
  for (int i = 0; i < 6; ++i) points.push_back(json::array({i + 1, static_cast<double>(losses[i])}));
  EXPECT_EQ(read["scalars"]["train/loss"], points);
}

// A process that dies between the line of a validation and the checkpoint that says it is done evaluates
// again.
TEST(MetricsLog, ResumingDropsTheValidationsThatAreToBeDoneAgain) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  {
    MetricsLog log(folder, 0, 0);
    log.write(5, {{"split", "train"}, {"epoch", 0.9}});
    log.write(5, {{"split", "val"}, {"epoch", 1}});
    log.write(10, {{"split", "train"}, {"epoch", 1.9}});
    log.write(10, {{"split", "val"}, {"epoch", 2}});
  }
  MetricsLog(folder, 10, 1).write(10, {{"split", "val"}, {"epoch", 2}, {"top1", 50}});
  std::vector<std::string> kept;
  for (const auto& record : lines_of(folder)) {
    kept.push_back(record["split"].get<std::string>() + record["step"].dump());
  }
  EXPECT_EQ(kept, (std::vector<std::string>{"train5", "val5", "train10", "val10"}));
  EXPECT_EQ(lines_of(folder).back()["top1"], 50);
}

TEST(MetricsLog, AFreshRunStartsItsLinesAnew) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  MetricsLog(folder, 0, 0).write(1, {{"split", "train"}, {"loss", 1}});
  MetricsLog(folder, 0, 0).write(1, {{"split", "train"}, {"loss", 2}});
  ASSERT_EQ(lines_of(folder).size(), 1u);
  EXPECT_EQ(lines_of(folder)[0]["loss"], 2);
}

TEST(MetricsLog, ResumingKeepsAnIntactLastLineWithoutItsNewline) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  append_to_lines(folder, R"({"split":"train","step":1})");
  MetricsLog(folder, 1, 0).write(2, {{"split", "train"}});
  EXPECT_EQ(lines_of(folder).size(), 2u);
}

TEST(MetricsLog, NumbersThatAreNotFiniteAreNullInTheLineAndThemselvesInTensorBoard) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  MetricsLog(folder, 0, 0).write(1, {{"split", "train"}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_TRUE(lines_of(folder)[0]["loss"].is_null());
  EXPECT_NE(run_python("tensorboard_reader.py", {folder.string()}).find("NaN"), std::string::npos);
}

TEST(MetricsLog, TheRecordsOwnStepDoesNotOverrideTheStepGiven) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  MetricsLog(folder, 0, 0).write(7, {{"split", "train"}, {"step", 3}});
  EXPECT_EQ(lines_of(folder)[0]["step"], 7);
}

TEST(MetricsLog, RefusesARecordWithoutASplit) {
  const TemporaryFolder temporary;
  MetricsLog log(temporary.path(), 0, 0);
  EXPECT_THROW(log.write(1, {{"loss", 1}}), std::invalid_argument);
  EXPECT_THROW(log.write(1, ordered_json::array({1})), std::invalid_argument);
}

TEST(MetricsLog, NamesTheFolderThatCannotBeMade) {
  const TemporaryFolder temporary;
  const auto& folder = temporary.path();
  write_file_atomically(folder / "run", "a file");
  try {
    MetricsLog log(folder / "run", 0, 0);
    FAIL() << "a file was taken for a folder";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find((folder / "run").string()), std::string::npos) << error.what();
  }
}

// Writes until the file may grow no further, then leaves the process the way the program does.
[[noreturn]] void write_without_room(const std::filesystem::path& folder) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
  try {
    MetricsLog log(folder, 0, 0);
    for (int step = 1; step < 10; ++step) log.write(step, {{"split", "train"}, {"loss", 0.5}});
  } catch (const Error& error) {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};  // what the test captures is a file too
    setrlimit(RLIMIT_FSIZE, &unlimited);
    std::fputs(error.what(), stderr);
    std::_Exit(1);
  }
  std::_Exit(0);
}

TEST(MetricsLogDeathTest, AFullDiskIsAnErrorThatNamesTheFile) {
  const TemporaryFolder temporary;
  EXPECT_EXIT(write_without_room(temporary.path()), testing::ExitedWithCode(1),
              "cannot write .*(metrics|tfevents).*bytes needed");
}

}  // namespace
}  // namespace actionclip
