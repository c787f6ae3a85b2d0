// Every figure against scikit-learn, or plain numpy where it has none.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/eval/bootstrap.h"
#include "actionclip/eval/calibration.h"
#include "actionclip/eval/figures.h"
#include "actionclip/weights/safetensors.h"

#include "tests/eval/random_scores.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-9;

// [N, kBootstrapDraws]: how often each video is in each draw.
void save_draws(std::size_t videos, const std::filesystem::path& file) {
  std::vector<std::uint8_t> counts(videos * kBootstrapDraws);
  std::size_t first = 0;
  bootstrap(videos, [&](DrawCounts drawn) -> std::vector<DrawnValues> {
    for (std::size_t i = 0; i < videos; ++i) {
      for (std::size_t d = 0; d < kDrawsAtOnce && first + d < kBootstrapDraws; ++d)
        counts[i * kBootstrapDraws + first + d] = drawn[i * kDrawsAtOnce + d];
    }
    first += kDrawsAtOnce;
    return {};
  });
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(videos),
                                           static_cast<std::int64_t>(kBootstrapDraws)};
  write_safetensors(file,
                    {{"counts", TensorData{.dtype = DType::kUInt8,
                                           .shape = shape,
                                           .strides = contiguous_strides(shape),
                                           .bytes = std::as_bytes(std::span(counts)),
                                           .owner = nullptr}}},
                    {});
}

nlohmann::json reference(const VideoScores& scores, bool with_draws = false) {
  const TemporaryFolder folder;
  save_scores(scores, folder / "scores.safetensors");
  std::vector<std::string> arguments = {folder / "scores.safetensors"};
  if (with_draws) {
    save_draws(scores.videos.size(), folder / "draws.safetensors");
    arguments.push_back(folder / "draws.safetensors");
  }
  return nlohmann::json::parse(run_python("metrics_reference.py", arguments));
}

void expect_same(const VideoScores& scores, bool with_draws) {
  const auto expected = reference(scores, with_draws);
  for (const auto& figure : figures_of(scores)) {
    EXPECT_NEAR(figure.percent, 100 * expected.at(figure.name).get<double>(), 100 * kTolerance)
        << figure.name;
    if (!with_draws || !expected.at("intervals").contains(figure.name)) continue;
    const auto& interval = expected.at("intervals").at(figure.name);
    EXPECT_NEAR(figure.interval.low, 100 * interval.at(0).get<double>(), 100 * kTolerance) << figure.name;
    EXPECT_NEAR(figure.interval.high, 100 * interval.at(1).get<double>(), 100 * kTolerance) << figure.name;
  }
}

TEST(MetricsParity, OfOneLabelAVideoEqualsScikitLearn) {
  for (const std::size_t failed_every : {0, 7}) {
    const auto scores = random_scores_of({.videos = 300, .failed_every = failed_every});
    expect_same(scores, /*with_draws=*/false);
    const auto expected = reference(scores);
    const auto metrics = metrics_of(scores);
    for (std::int64_t c = 0; c < metrics.classes(); ++c) {
      for (std::int64_t predicted = 0; predicted < metrics.classes(); ++predicted)
        EXPECT_EQ(metrics.confusion(c, predicted), expected.at("confusion").at(c).at(predicted));
    }
    EXPECT_NEAR(calibration_error(scores).value(), 100 * expected.at("ece").get<double>(), 100 * kTolerance);
    EXPECT_NEAR(mean_loss(scores), expected.at("loss").get<double>(), 1e-6) << "of rows that sum up to one";
    EXPECT_NEAR(fit_temperature(scores), expected.at("temperature").get<double>(), 1e-6);
  }
}

TEST(MetricsParity, AveragePrecisionEqualsScikitLearnWithTiesAndFailedVideosToo) {
  for (const std::size_t steps : {0, 4}) {
    for (const std::size_t failed_every : {0, 5}) {
      expect_same(random_scores_of(
                      {.videos = 200, .multi_label = true, .failed_every = failed_every, .steps = steps}),
                  /*with_draws=*/false);
    }
  }
}

TEST(MetricsParity, IntervalsEqualThoseOfFiguresThatScikitLearnComputesInEachDraw) {
  expect_same(random_scores_of({.videos = 40, .classes = 4}), /*with_draws=*/true);
  expect_same(
      random_scores_of({.videos = 25, .classes = 3, .multi_label = true, .failed_every = 9, .steps = 6}),
      /*with_draws=*/true);
}

}  // namespace
}  // namespace actionclip
