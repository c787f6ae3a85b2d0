#include "actionclip/eval/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/eval/average_precision.h"

#include "tests/distributed/gloo_ranks.h"
#include "tests/video/fake_videos.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kVideos = 9;

// A label a video; neighbours are counterparts, the last label has none.
LabelSet labels() {
  std::vector<std::string> names, verbs, pairs;
  for (std::int64_t i = 0; i < kVideos; ++i) {
    names.push_back(fmt::format("label {}", i));
    verbs.push_back(i % 3 == 0 ? "open" : "close");
    pairs.push_back(fmt::format("{}", i + 1 == kVideos ? i : i ^ 1));
  }
  return LabelSet(names, {{"verb", verbs}, {"pair", pairs}});
}

ActionClip random_model() {
  at::manual_seed(4);
  return ActionClip(ActionClipConfig{
      .vision = {.image_size = 16, .patch_size = 8, .width = 64, .layers = 1, .heads = 1, .output_dim = 64},
      .text = {.context_length = 6,
               .vocabulary_size = 50,
               .width = 64,
               .layers = 1,
               .heads = 1,
               .output_dim = 64},
      .fusion = {.type = FusionType::Transf, .width = 64, .layers = 1, .heads = 1, .frames = 4}});
}

Classifier random_classifier(ActionClip model = random_model()) {
  return Classifier(std::move(model), at::randint(1, 50, {2, kVideos, 6}, at::kLong));
}

// Takes the place of a model's head, which it asks, and notes how many views each forward has.
class WatchedFusion : public TemporalFusion {
 public:
  explicit WatchedFusion(std::shared_ptr<TemporalFusion> head) : head_(std::move(head)) {}

  at::Tensor forward(const at::Tensor& frame_features) override {
    views.push_back(frame_features.size(0));
    const auto features = head_->forward(frame_features);
    const bool spoil = spoil_first && views.size() == 1;
    return spoil ? features * std::numeric_limits<double>::quiet_NaN() : features;
  }

  std::vector<std::int64_t> views;
  bool spoil_first = false;  // the first forward gives NaN

 private:
  std::shared_ptr<TemporalFusion> head_;
};

std::shared_ptr<WatchedFusion> watch(ActionClip& model) {
  auto watched = std::make_shared<WatchedFusion>(model->fusion);
  model->fusion = watched;
  return watched;
}

ClipDataset videos(const EvalConfig& config) {
  auto options = fake_options();
  options.max_failed_share = 1;
  options.clips = config.clips;
  options.crops = config.crops;
  return ClipDataset(fake_list(kVideos), options, fake_frames(/*damaged=*/{2, 7}));
}

EvaluationReport evaluate_on(const std::shared_ptr<ProcessGroup>& group, Classifier& classifier,
                             EvalConfig config = {.batch_size = 2}) {
  const auto data = videos(config);
  config.group_by = {"verb"};
  config.pair_by = "pair";
  DataConfig loading;
  loading.num_workers = 0;
  return evaluate(classifier, data, labels(), config, loading, group);
}

TEST(Evaluate, ManyRanksReportWhatOneReports) {
  auto classifier = random_classifier();
  const auto expected = evaluate_on(std::make_shared<SingleProcess>(), classifier);
  EXPECT_EQ(expected.metrics.samples(), kVideos);
  EXPECT_EQ(expected.metrics.failed(), 2);
  for (const int world_size : {2, 3, 5}) {
    const auto ranks = make_ranks(world_size);
    std::vector<Classifier> classifiers;
    for (int rank = 0; rank < world_size; ++rank) classifiers.push_back(random_classifier());
    std::vector<std::optional<EvaluationReport>> reports(ranks.size());
    on_every_rank(world_size, [&](int rank) { reports[rank] = evaluate_on(ranks[rank], classifiers[rank]); });
    for (const auto& report : reports) {
      EXPECT_EQ(report->metrics.counts(), expected.metrics.counts());
      EXPECT_EQ(report->group_top1, expected.group_top1);
      EXPECT_EQ(report->pair_accuracy, expected.pair_accuracy);
      EXPECT_EQ(report->pair_accuracy_by, expected.pair_accuracy_by);
      EXPECT_NEAR(report->loss, expected.loss, 1e-4);
    }
  }
}

void expect_same_scores(const VideoScores& ours, const VideoScores& expected) {
  ASSERT_EQ(ours.videos.size(), expected.videos.size());
  for (std::size_t i = 0; i < ours.videos.size(); ++i) {
    EXPECT_EQ(ours.videos[i].path, expected.videos[i].path);
    EXPECT_EQ(ours.videos[i].label_ids, expected.videos[i].label_ids);
    EXPECT_EQ(ours.videos[i].failure, expected.videos[i].failure);
  }
  EXPECT_TRUE(std::ranges::equal(ours.probabilities, expected.probabilities, [](float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  }));
  EXPECT_EQ(ours.origin, expected.origin);
}

// A video a forward, so that no rounding depends on the videos beside it.
TEST(Evaluate, EveryRankHasTheScoresOfAllVideosInTheListsOrder) {
  auto classifier = random_classifier();
  const EvalConfig config{.batch_size = 1};
  const auto expected = evaluate_on(std::make_shared<SingleProcess>(), classifier, config);
  for (std::int64_t i = 0; i < kVideos; ++i) {
    const auto& video = expected.scores.videos.at(static_cast<std::size_t>(i));
    EXPECT_EQ(video.path, std::to_string(i));
    EXPECT_THAT(video.label_ids, ElementsAre(static_cast<std::int32_t>(i)));
    EXPECT_EQ(video.failure.empty(), i != 2 && i != 7);
  }
  EXPECT_EQ(metrics_of(expected.scores).counts(), expected.metrics.counts());
  for (const int world_size : {1, 2, 3, 5}) {
    const auto ranks = make_ranks(world_size);
    std::vector<Classifier> classifiers;
    for (int rank = 0; rank < world_size; ++rank) classifiers.push_back(random_classifier());
    std::vector<std::optional<EvaluationReport>> reports(ranks.size());
    on_every_rank(world_size,
                  [&](int rank) { reports[rank] = evaluate_on(ranks[rank], classifiers[rank], config); });
    for (const auto& report : reports) {
      expect_same_scores(report->scores, expected.scores);
      EXPECT_EQ(report->loss, expected.loss);
      EXPECT_EQ(report->calibration_error, expected.calibration_error);
      for (std::size_t f = 0; f < expected.figures.size(); ++f)
        EXPECT_EQ(report->figures[f].interval.low, expected.figures[f].interval.low);
    }
  }
}

TEST(Evaluate, TheScoresSayWhatTheyAreOf) {
  auto classifier = random_classifier();
  const EvalConfig config{.clips = 2, .average = ViewAverage::logits};
  const auto scores = evaluate_on(std::make_shared<SingleProcess>(), classifier, config).scores;
  EXPECT_EQ(scores.labels, labels().names());
  EXPECT_EQ(scores.origin, (std::map<std::string, std::string>{
                               {"list", "fake.txt"}, {"views", "2"}, {"average", "logits"}}));
}

TEST(Evaluate, ViewsAreAveragedAsTheSettingSays) {
  EvalConfig config{.clips = 2, .crops = 3};
  const auto data = videos(config);
  auto classifier = random_classifier();
  const auto clip = data.load(0, 4, SampleMode::test).clip.unsqueeze(0);
  for (const auto average : {ViewAverage::probabilities, ViewAverage::logits}) {
    config.average = average;
    const auto scores = evaluate_on(std::make_shared<SingleProcess>(), classifier, config).scores;
    const auto expected = classifier.classify(clip, 0, average).probabilities;
    for (std::int64_t c = 0; c < kVideos; ++c)
      EXPECT_NEAR(scores.row(4)[static_cast<std::size_t>(c)], expected[0][c].item<float>(), 1e-5);
  }
}

// Every video has its own label, and each third one another too.
ClipDataset videos_of_several_labels() {
  const auto single = fake_list(kVideos);
  VideoList list(single.config());
  for (std::int64_t i = 0; i < kVideos; ++i) {
    auto entry = single.entry(i);
    if (i % 3 == 0) entry.label_ids.push_back(static_cast<std::int32_t>((i + 1) % kVideos));
    list.add(entry);
  }
  auto options = fake_options();
  options.classes = kVideos;
  options.max_failed_share = 1;
  return ClipDataset(std::move(list), options, fake_frames(/*damaged=*/{5}));
}

TEST(Evaluate, VideosOfSeveralLabelsAreScoredByMeanAveragePrecision) {
  const auto data = videos_of_several_labels();
  auto classifier = random_classifier();
  DataConfig loading;
  loading.num_workers = 0;
  const auto report = evaluate(classifier, data, labels(), EvalConfig{}, loading);
  EXPECT_TRUE(report.scores.multi_label);
  EXPECT_EQ(report.main_figure().name, "map");
  EXPECT_DOUBLE_EQ(report.main_figure().percent, 100 * mean_average_precision(rank_videos(report.scores)));
  EXPECT_THAT(report.scores.videos[3].label_ids, ElementsAre(3, 4));
  EXPECT_EQ(report.samples(), kVideos);
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_THAT(report.failed[0].reason, HasSubstr("damaged"));
  EXPECT_EQ(report.metrics.samples(), 0);
  EXPECT_TRUE(std::isfinite(report.loss));
}

TEST(Evaluate, GroupsAndPairsOfVideosOfSeveralLabelsAreRefusedBeforeTheFirstIsScored) {
  const auto data = videos_of_several_labels();
  auto model = random_model();
  const auto watched = watch(model);
  auto classifier = random_classifier(model);
  EvalConfig config;
  config.pair_by = "pair";
  try {
    evaluate(classifier, data, labels(), config, DataConfig{});
    FAIL() << "scored";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), AllOf(HasSubstr("eval.pair_by"), HasSubstr("videos of several")));
  }
  EXPECT_TRUE(watched->views.empty());
}

TEST(Evaluate, ABatchBoundsTheViewsOfAForwardAndChangesNoScore) {
  EvalConfig config{.clips = 2, .crops = 3, .batch_size = 100};
  auto classifier = random_classifier();
  const auto expected = evaluate_on(std::make_shared<SingleProcess>(), classifier, config);
  EXPECT_EQ(expected.views, 6);
  for (const std::int64_t batch_size : {13, 6, 4, 1}) {
    config.batch_size = batch_size;
    auto model = random_model();
    const auto watched = watch(model);
    auto in_parts = random_classifier(model);
    const auto report = evaluate_on(std::make_shared<SingleProcess>(), in_parts, config);
    EXPECT_EQ(*std::max_element(watched->views.begin(), watched->views.end()),
              batch_size == 13 ? 12 : batch_size);
    EXPECT_EQ(report.metrics.counts(), expected.metrics.counts()) << batch_size;
    EXPECT_NEAR(report.loss, expected.loss, 1e-4) << batch_size;
  }
}

TEST(Evaluate, AVideoWhoseScoresAreNotFiniteCountsAsFailedAndIsNamed) {
  auto model = random_model();
  watch(model)->spoil_first = true;
  auto classifier = random_classifier(model);
  const auto report = evaluate_on(std::make_shared<SingleProcess>(), classifier);
  EXPECT_EQ(report.metrics.samples(), kVideos);
  EXPECT_EQ(report.metrics.failed(), 4);
  ASSERT_EQ(report.failed.size(), 4u);
  for (const std::size_t i : {0, 1}) {
    EXPECT_EQ(report.failed[i].path, std::to_string(i));
    EXPECT_EQ(report.failed[i].reason, "scores are not finite");
  }
  EXPECT_THAT(report.failed[2].reason, HasSubstr("damaged"));
  EXPECT_TRUE(std::isfinite(report.loss));
}

TEST(CheckLabelColumns, NamesTheColumnThatIsMissingAndTheEntryThatIsNoLabelId) {
  const auto error_of = [](const EvalConfig& config) -> std::string {
    try {
      check_label_columns(labels(), config);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EvalConfig config;
  config.group_by = {"verb"};
  config.pair_by = "pair";
  EXPECT_EQ(error_of(config), "");
  config.group_by = {"noun"};
  EXPECT_THAT(error_of(config), AllOf(HasSubstr("noun"), HasSubstr("eval.group_by")));
  config.group_by = {};
  config.pair_by = "verb";
  EXPECT_THAT(error_of(config), AllOf(HasSubstr("eval.pair_by"), HasSubstr("no label id")));
  config.pair_by = "noun";
  EXPECT_THAT(error_of(config), AllOf(HasSubstr("noun"), HasSubstr("eval.pair_by")));
}

TEST(RequireFiniteScores, MoreThanTheShareOfVideosIsAnError) {
  VideoScores scores{.labels = {"a"}, .videos = std::vector<ScoredVideo>(100), .probabilities = {}};
  scores.videos[7].failure = kScoresNotFinite;
  scores.videos[8].failure = "damaged";
  EXPECT_NO_THROW(require_finite_scores(scores, 0.01)) << "one of a hundred";
  EXPECT_THROW(require_finite_scores(scores, 0), Error);
  scores.videos[9].failure = kScoresNotFinite;
  EXPECT_THROW(require_finite_scores(scores, 0.01), Error);
}

}  // namespace
}  // namespace actionclip
