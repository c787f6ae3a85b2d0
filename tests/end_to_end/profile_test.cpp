// actionclip train --profile: what the trace of a run with two ranks shows.

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Microseconds.
struct Span {
  double start, end;
  bool within(const Span& other) const { return start >= other.start && end <= other.end; }
};

class Profile : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  // With `stop_after`: stopped by a signal after so many steps.
  ProgramResult train(const std::vector<std::string>& more, int stop_after = 0) const {
    std::vector<std::string> arguments = {"train",    "--config",       folder_ / "config.yaml",
                                          "--output", folder_ / "run",  "--device",
                                          "cpu",      "data.val.list=", "train.max_steps=6"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, folder_ / "run", stop_after);
  }

  // The events of a rank's trace whose name begins with `name`.
  std::vector<Span> spans(int rank, const std::string& name) const {
    const auto trace =
        nlohmann::json::parse(read_text(folder_ / fmt::format("run/profile-rank-{}.json", rank)));
    std::vector<Span> result;
    for (const auto& event : trace.at("traceEvents")) {
      if (!event.contains("dur") || !event.at("name").get<std::string>().starts_with(name)) continue;
      const double start = event.at("ts");
      result.push_back({start, start + event.at("dur").get<double>()});
    }
    return result;
  }

  TemporaryFolder folder_;
};

TEST_F(Profile, ShowsThePhasesOfSoManySteps) {
  const auto result = train({"--profile=2"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, Not(ContainsRegex("USDT|ERROR"))) << "the profiler's own talk";
  for (const char* phase : {"data", "forward", "backward", "optimizer"})
    EXPECT_EQ(spans(0, phase).size(), 2u) << phase;
}

TEST_F(Profile, OfARunThatEndsEarlierIsWrittenToo) {
  const auto result = train({"--profile=100"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(spans(0, "backward").size(), 4u) << "6 steps without the two that warm up";
}

TEST_F(Profile, OfARunThatASignalStopsIsWrittenToo) {
  const auto result = train({"--profile=1000", "train.max_steps=0", "train.epochs=100"}, /*stop_after=*/4);
  ASSERT_EQ(result.exit_code, 75) << result.errors;
  EXPECT_GE(spans(0, "backward").size(), 2u) << "at least 4 steps without the two that warm up";
}

TEST_F(Profile, ARunTooShortForOneSaysSo) {
  const auto result = train({"--profile", "train.max_steps=2"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("no profile: only 2 step(s) were taken"));
}

// The reduction of the last layers' gradients is under way while those of the first are still computed.
TEST_F(Profile, ShowsThatGradientsAreReducedWhileTheBackwardPassGoesOn) {
  const auto result = train(
      {"--nproc", "2", "--profile=3", "distributed.bucket_size=0.1", "distributed.first_bucket_size=0.01"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const int rank : {0, 1}) {
    const auto reductions = spans(rank, "gloo:all_reduce");
    const auto computations = spans(rank, "autograd::engine::evaluate_function");
    int early = 0;
    for (const auto& backward : spans(rank, "backward")) {
      double last_computation = 0;
      for (const auto& computation : computations)
        if (computation.within(backward)) last_computation = std::max(last_computation, computation.start);
      early += std::any_of(reductions.begin(), reductions.end(), [&](const Span& reduction) {
        return reduction.start > backward.start && reduction.end < last_computation;
      });
    }
    EXPECT_GE(early, 1) << "of 3 steps, on rank " << rank;
  }
}

}  // namespace
}  // namespace actionclip
