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

// Of each of the scores.
nlohmann::json references(const std::vector<VideoScores>& all, bool with_draws = false) {
  const TemporaryFolder folder;
  std::vector<std::string> files;
  for (const auto& scores : all) {
    files.push_back(folder / (std::to_string(files.size()) + ".safetensors"));
    save_scores(scores, files.back());
    if (with_draws) save_draws(scores.videos.size(), files.back() + ".draws");
  }
  return nlohmann::json::parse(run_python("metrics_reference.py", files));
}

void expect_figures(const VideoScores& scores, const nlohmann::json& expected) {
  for (const auto& figure : figures_of(scores))
    EXPECT_NEAR(figure.percent, 100 * expected.at(figure.name).get<double>(), 100 * kTolerance)
        << figure.name;
}

TEST(MetricsParity, OfOneLabelAVideoEqualsScikitLearn) {
  const std::vector<VideoScores> all = {random_scores_of({.videos = 300}),
                                        random_scores_of({.videos = 300, .failed_every = 7})};
  const auto expected = references(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    expect_figures(all[i], expected.at(i));
    const auto metrics = metrics_of(all[i]);
    for (std::int64_t c = 0; c < metrics.classes(); ++c) {
      for (std::int64_t predicted = 0; predicted < metrics.classes(); ++predicted)
        EXPECT_EQ(metrics.confusion(c, predicted), expected.at(i).at("confusion").at(c).at(predicted));
    }
    const auto value = [&](const char* name) { return expected.at(i).at(name).get<double>(); };
    EXPECT_NEAR(calibration_error(all[i]).value(), 100 * value("ece"), 100 * kTolerance);
    EXPECT_NEAR(mean_loss(all[i]), value("loss"), 1e-6) << "of rows that sum up to one";
    EXPECT_NEAR(fit_temperature(all[i]), value("temperature"), 1e-6);
  }
}

TEST(MetricsParity, AveragePrecisionEqualsScikitLearnWithTiesAndFailedVideosToo) {
  std::vector<VideoScores> all;
  for (const std::size_t steps : {0, 4}) {
    for (const std::size_t failed_every : {0, 5}) {
      all.push_back(random_scores_of(
          {.videos = 200, .multi_label = true, .failed_every = failed_every, .steps = steps}));
    }
  }
  const auto expected = references(all);
  for (std::size_t i = 0; i < all.size(); ++i) expect_figures(all[i], expected.at(i));
}

TEST(MetricsParity, IntervalsEqualThoseOfFiguresThatScikitLearnComputesInEachDraw) {
  const std::vector<VideoScores> all = {
      random_scores_of({.videos = 40, .classes = 4}),
      random_scores_of({.videos = 25, .classes = 3, .multi_label = true, .failed_every = 9, .steps = 6})};
  const auto expected = references(all, /*with_draws=*/true);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& figure : figures_of(all[i])) {
      const auto& intervals = expected.at(i).at("intervals");
      if (figure.name == "top5") continue;  // drawn as top-1 is
      EXPECT_NEAR(figure.interval.low, 100 * intervals.at(figure.name).at(0).get<double>(), 100 * kTolerance);
      EXPECT_NEAR(figure.interval.high, 100 * intervals.at(figure.name).at(1).get<double>(),
                  100 * kTolerance);
    }
  }
}

}  // namespace
}  // namespace actionclip
