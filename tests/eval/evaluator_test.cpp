#include "actionclip/eval/evaluator.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/distributed/thread_group.h"
#include "tests/video/fake_videos.h"

namespace actionclip {
namespace {

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

Classifier random_classifier() {
  at::manual_seed(4);
  ActionClip model(ActionClipConfig{
      .vision = {.image_size = 16, .patch_size = 8, .width = 64, .layers = 1, .heads = 1, .output_dim = 64},
      .text = {.context_length = 6,
               .vocabulary_size = 50,
               .width = 64,
               .layers = 1,
               .heads = 1,
               .output_dim = 64},
      .fusion = {.type = FusionType::Transf, .width = 64, .layers = 1, .heads = 1, .frames = 4}});
  return Classifier(model, at::randint(1, 50, {2, kVideos, 6}, at::kLong));
}

ClipDataset videos() {
  auto options = fake_options();
  options.max_failed_share = 1;
  return ClipDataset(fake_list(kVideos), options, fake_frames(/*damaged=*/{2, 7}));
}

EvaluationReport evaluate_on(const std::shared_ptr<ProcessGroup>& group, Classifier& classifier) {
  const auto data = videos();
  EvalConfig config;
  config.batch_size = 2;
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
  for (const int world_size : {2, 4}) {
    const auto ranks = make_ranks(world_size);
    std::vector<Classifier> classifiers;
    for (int rank = 0; rank < world_size; ++rank) classifiers.push_back(random_classifier());
    std::vector<std::optional<EvaluationReport>> reports(ranks.size());
    on_every_rank(ranks, [&](int rank) { reports[rank] = evaluate_on(ranks[rank], classifiers[rank]); });
    for (const auto& report : reports) {
      EXPECT_EQ(report->metrics.counts(), expected.metrics.counts());
      EXPECT_EQ(report->group_top1, expected.group_top1);
      EXPECT_EQ(report->pair_accuracy, expected.pair_accuracy);
      EXPECT_EQ(report->pair_accuracy_by, expected.pair_accuracy_by);
      EXPECT_NEAR(report->loss, expected.loss, 1e-4);
    }
  }
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
  EXPECT_THAT(error_of(config), HasSubstr("noun"));
  config.group_by = {};
  config.pair_by = "verb";
  EXPECT_THAT(error_of(config), HasSubstr("eval.pair_by"));
}

}  // namespace
}  // namespace actionclip
