// Explanations of small random models, on a folder of random frames.
#include "actionclip/eval/explain.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kTemplates = 3, kClasses = 4;
constexpr double kTolerance = 1e-5;

const std::vector<std::string> kLabels = {"zero", "one", "two", "three"};

class Explain : public ::testing::Test {
 protected:
  void SetUp() override { run_python("frame_folder.py", {video_.string(), "9"}); }

  Classifier make(const ActionClipConfig& sizes) {
    at::manual_seed(41);
    ActionClip model(sizes);
    const at::NoGradGuard no_grad;
    if (sizes.classes > 0) {
      model->classifier->weight.normal_();
      model->classifier->bias.normal_();
    }
    auto tokens = at::randint(1, sizes.text.vocabulary_size - 1,
                              {kTemplates, kClasses, sizes.text.context_length}, at::kLong);
    tokens.select(2, sizes.text.context_length - 1).fill_(sizes.text.vocabulary_size - 1);
    return {model, TextInput(tokens)};
  }

  ExplainedPrediction explain_with(Classifier& classifier) {
    return explain(classifier, kLabels, 32, video_);
  }

  // The prediction is predict()'s; the frames are there in order.
  void expect_consistent(Classifier& classifier, const ExplainedPrediction& explained) {
    const auto plain = predict(classifier, kLabels, classifier.model()->config(), 32, video_).predictions;
    const auto& own = explained.prediction.predictions;
    const auto& explanation = explained.explanation;
    ASSERT_EQ(own.size(), plain.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      EXPECT_EQ(own[i].label, plain[i].label);
      EXPECT_NEAR(own[i].probability, plain[i].probability, kTolerance);
      EXPECT_NEAR(own[i].similarity, plain[i].similarity, kTolerance);
      EXPECT_EQ(explanation.labels[i].label, own[i].label);
    }
    EXPECT_EQ(explanation.frame_count, 9);
    ASSERT_EQ(explanation.frames.size(), 4u);
    EXPECT_EQ(explained.attention.size(0), 4);
    for (const auto& frame : explanation.frames) EXPECT_EQ(frame.similarities.size(), kLabels.size());
  }

  static double sum_of_contributions(const Explanation& explanation) {
    double sum = 0;
    for (const auto& frame : explanation.frames) sum += frame.contribution.value();
    return sum;
  }

  TemporaryFolder folder_;
  std::filesystem::path video_ = folder_ / "frames";
};

// Its label id.
std::int64_t id_of(const ExplainedLabel& label) {
  return std::ranges::find(kLabels, label.label) - kLabels.begin();
}

ActionClipConfig sizes_with(FusionType type) {
  auto sizes = small_sizes();
  sizes.fusion.type = type;
  return sizes;
}

TEST_F(Explain, WithMeansTheContributionsAddUpToTheMargin) {
  auto classifier = make(sizes_with(FusionType::meanP));
  const auto explained = explain_with(classifier);
  expect_consistent(classifier, explained);
  const auto& decision = explained.explanation.decision.value();
  EXPECT_NEAR(sum_of_contributions(explained.explanation), decision.margin, kTolerance);
  EXPECT_NEAR(decision.of_the_head.value(), 0, kTolerance);
  EXPECT_EQ(decision.by, DecidedBy::contribution);
  EXPECT_FALSE(explained.explanation.frames[0].leave_one_out);
  EXPECT_FALSE(explained.explanation.frames[0].attention);
  EXPECT_FALSE(explained.explanation.frames[0].seconds) << "a folder has no times";
}

TEST_F(Explain, SimilaritiesOfAFrameAreThoseOfAVideoOfItAlone) {
  auto classifier = make(sizes_with(FusionType::meanP));
  const auto explained = explain_with(classifier);
  for (std::int64_t t = 0; t < 4; ++t) {
    const auto scores = classifier.classify(explained.clip.frames.narrow(0, t, 1).unsqueeze(0).unsqueeze(0));
    for (std::size_t id = 0; id < kLabels.size(); ++id) {
      EXPECT_NEAR(explained.explanation.frames[static_cast<std::size_t>(t)].similarities[id],
                  scores.similarities[0][id_of(explained.explanation.labels[id])].item<double>(), kTolerance);
    }
  }
}

TEST_F(Explain, HeadsWithTimeOrderTellWhatLeavingAFrameOutTakes) {
  for (const auto type :
       {FusionType::Conv_1D, FusionType::LSTM, FusionType::Transf, FusionType::Transf_cls}) {
    SCOPED_TRACE(static_cast<int>(type));
    auto classifier = make(sizes_with(type));
    const auto explained = explain_with(classifier);
    expect_consistent(classifier, explained);
    const auto& explanation = explained.explanation;
    const bool adds_frames = type != FusionType::Transf_cls;
    EXPECT_EQ(explanation.frames[0].contribution.has_value(), adds_frames);
    if (adds_frames) {
      EXPECT_NEAR(sum_of_contributions(explanation) + explanation.decision->of_the_head.value(),
                  explanation.decision->margin, kTolerance);
    }
    // The third frame gives way to the second one.
    auto frames = explained.clip.frames.clone();
    frames[2].copy_(frames[1]);
    const auto scores = classifier.classify(frames.unsqueeze(0).unsqueeze(0)).similarities[0];
    const auto similarity = [&](std::size_t rank) {
      return scores[id_of(explanation.labels[rank])].item<double>();
    };
    EXPECT_NEAR(explanation.frames[2].leave_one_out.value(),
                explanation.decision->margin - (similarity(0) - similarity(1)), kTolerance);
    EXPECT_EQ(explanation.decision->by, DecidedBy::leave_one_out);
  }
}

TEST_F(Explain, JointAttentionEncodesFramesAloneAndSharesItsAttentionAmongThem) {
  auto sizes = sizes_with(FusionType::meanP);
  sizes.vision.joint_frames = 4;
  auto classifier = make(sizes);
  const auto explained = explain_with(classifier);
  expect_consistent(classifier, explained);
  const auto& explanation = explained.explanation;
  EXPECT_TRUE(explanation.encoded_alone);
  EXPECT_EQ(explanation.decision->by, DecidedBy::frame_margin);
  double sum = 0;
  for (const auto& frame : explanation.frames) {
    EXPECT_FALSE(frame.contribution);
    sum += frame.attention.value();
  }
  EXPECT_NEAR(sum, 1, kTolerance);
}

TEST_F(Explain, WithTemporalShiftFramesShareAttentionToo) {
  auto sizes = sizes_with(FusionType::meanP);
  sizes.vision.temporal_shift = true;
  auto classifier = make(sizes);
  const auto explained = explain_with(classifier);
  expect_consistent(classifier, explained);
  EXPECT_TRUE(explained.explanation.frames[0].attention);
  EXPECT_TRUE(explained.explanation.frames[0].contribution);
}

TEST_F(Explain, ALinearClassifierIsExplainedByItsLogits) {
  auto sizes = sizes_with(FusionType::meanP);
  sizes.classes = kClasses;
  auto classifier = make(sizes);
  const auto explained = explain_with(classifier);
  expect_consistent(classifier, explained);
  const auto& explanation = explained.explanation;
  const auto bias_of = [&](std::size_t rank) {
    return classifier.model()->classifier->bias[id_of(explanation.labels[rank])].item<double>();
  };
  EXPECT_NEAR(explanation.decision->of_the_head.value(), bias_of(0) - bias_of(1), 1e-4);
}

TEST_F(Explain, AResNetShowsTheWeightsOfItsPool) {
  auto sizes = sizes_with(FusionType::meanP);
  sizes.vision = {.image_size = 32, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 1, 1, 1}};
  auto classifier = make(sizes);
  const auto explained = explain_with(classifier);
  expect_consistent(classifier, explained);
  EXPECT_EQ(explained.explanation.attention, "weights of the attention pool");
  EXPECT_EQ(explained.attention.sizes(), (std::vector<std::int64_t>{4, 1, 1}));
}

TEST_F(Explain, OneFrameHasNothingToLeaveOut) {
  auto sizes = sizes_with(FusionType::Transf);
  sizes.fusion.frames = 1;
  auto classifier = make(sizes);
  const auto explained = explain_with(classifier);
  EXPECT_FALSE(explained.explanation.frames.at(0).leave_one_out);
  EXPECT_TRUE(explained.explanation.frames.at(0).contribution);
}

TEST_F(Explain, AVideoThatCannotBeDecodedFailsAsInPredict) {
  auto classifier = make(small_sizes());
  video_ = folder_ / "absent.mp4";
  const auto explained = explain_with(classifier);
  EXPECT_EQ(explained.prediction.error, predict(classifier, kLabels, small_sizes(), 32, video_).error);
  EXPECT_THAT(explained.prediction.error, HasSubstr("absent.mp4"));
}

}  // namespace
}  // namespace actionclip
