// `report` and `compare`, and the pages that other commands leave.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

TEST(ReportCommand, RunsLeaveAPageEachAndAreCompared) {
  const TemporaryFolder folder;
  make_tiny_experiment(folder.path());
  const auto config = (folder / "config.yaml").string();
  const auto run = (folder / "run").string();
  ASSERT_EQ(run_program({"train", "--config", config, "--output", run, "train.max_steps=2"}).exit_code, 0);
  EXPECT_THAT(read_text(folder / "run/report.html"), HasSubstr("<section id=\"curves\">"));
  EXPECT_TRUE(nlohmann::json::parse(read_text(folder / "run/machine.json")).contains("train"));

  const auto first = (folder / "first").string(), second = (folder / "second").string();
  for (const auto& output : {first, second}) {
    const auto evaluated = run_program(
        {"evaluate", "--config", config, "--weights", run + "/checkpoints/last", "--output", output});
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  }
  const auto page = read_text(folder / "first/report.html");
  EXPECT_THAT(page, HasSubstr("<section id=\"confusion\">"));
  EXPECT_THAT(page, HasSubstr("src=\"data:image/jpeg;base64,")) << "example clips";

  const auto reported = run_program({"report", run, "--output", folder / "other.html"});
  EXPECT_EQ(reported.exit_code, 0) << reported.errors;
  EXPECT_THAT(read_text(folder / "other.html"), HasSubstr("</html>"));

  const auto compared = run_program({"compare", run, first, second, "--json"});
  ASSERT_EQ(compared.exit_code, 0) << compared.errors;
  const auto json = nlohmann::json::parse(compared.output);
  EXPECT_EQ(json.at("runs").size(), 3U);
  const auto& same = json.at("differences").at(2);  // of first and second
  EXPECT_EQ(same.at("figures").at(0).at("difference"), 0);
  EXPECT_EQ(same.at("figures").at(0).at("more_than_chance"), false);
}

TEST(ReportCommand, RefusesWhatItCannotUse) {
  const TemporaryFolder folder;
  const auto report = run_program({"report", folder / "none"});
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_THAT(report.errors, HasSubstr("no such folder"));
  EXPECT_EQ(run_program({"compare", folder / "none"}).exit_code, 2) << "one run alone";
}

}  // namespace
}  // namespace actionclip
