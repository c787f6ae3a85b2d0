// Scores of several templates and views against Python, which gets the features and knows the definition
// only.
#include "actionclip/eval/classifier.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kVideos = 3, kViews = 4, kTemplates = 5, kClasses = 6;

// Prompts [P, C, L], the largest token last.
at::Tensor random_tokens() {
  const auto& text = small_sizes().text;
  auto tokens =
      at::randint(1, text.vocabulary_size - 1, {kTemplates, kClasses, text.context_length}, at::kLong);
  tokens.select(2, text.context_length - 1).fill_(text.vocabulary_size - 1);
  return tokens;
}

at::Tensor random_clips() {
  const auto sizes = small_sizes();
  const auto side = sizes.vision.image_size;
  return at::randint(0, 256, {kVideos, kViews, sizes.fusion.frames, 3, side, side}, at::kByte);
}

// Python's scores, from features that are computed one by one. times [P, C]: how often a prompt counts in the
// mean of its class.
std::map<std::string, at::Tensor> reference_scores(ActionClip& model, const at::Tensor& clips,
                                                   const at::Tensor& tokens, const at::Tensor& times) {
  const TemporaryFolder folder;
  std::vector<at::Tensor> video, text;
  for (std::int64_t b = 0; b < kVideos; ++b) {
    for (std::int64_t v = 0; v < kViews; ++v)
      video.push_back(model->encode_video(clips[b][v].unsqueeze(0))[0]);
  }
  for (std::int64_t p = 0; p < kTemplates; ++p) {
    for (std::int64_t c = 0; c < kClasses; ++c)
      text.push_back(model->encode_text(tokens[p][c].unsqueeze(0))[0]);
  }
  write_weights(folder / "features.safetensors",
                {{"video", at::stack(video).view({kVideos, kViews, -1})},
                 {"text", at::stack(text).view({kTemplates, kClasses, -1})},
                 {"times", times}},
                {});
  run_python("classifier_reference.py", {folder.path().string()});
  return read_tensors(folder / "scores.safetensors");
}

TEST(Classifier, ScoresOfSeveralTemplatesAndViewsEqualPython) {
  at::manual_seed(21);
  const at::NoGradGuard no_grad;
  ActionClip model(small_sizes());
  model->logit_scale.fill_(0.5);  // learnt, but not what the test procedure uses
  const auto clips = random_clips(), tokens = random_tokens();
  const auto scores = Classifier(model, tokens).classify(clips);
  const auto expected = reference_scores(model, clips, tokens, at::ones({kTemplates, kClasses}));
  EXPECT_LT(relative_error(scores.similarities, expected.at("similarities")), 1e-4);
  EXPECT_LT(relative_error(scores.probabilities, expected.at("probabilities")), 1e-4);
  EXPECT_TRUE(at::allclose(scores.probabilities.sum(1), at::ones({kVideos})));
}

TEST(Classifier, ScoresOfMeanEmbeddingsEqualPythonAndCountAPromptOnce) {
  at::manual_seed(24);
  const at::NoGradGuard no_grad;
  ActionClip model(small_sizes());
  const auto clips = random_clips(), tokens = random_tokens();
  auto times = at::ones({kTemplates, kClasses});
  const auto repeat = [&](std::int64_t prompt, std::int64_t first, std::int64_t label_id) {
    tokens[prompt][label_id].copy_(tokens[first][label_id]);
    times[prompt][label_id] = 0;
  };
  repeat(2, 0, 1);
  repeat(4, 0, 1);
  repeat(3, 1, 5);
  tokens[1][2].copy_(tokens[1][3]);  // the same prompt for two classes
  const auto scores = Classifier(model, tokens, Precision::fp32, Ensemble::mean_embedding)
                          .classify(clips, /*views_at_once=*/5);
  const auto expected = reference_scores(model, clips, tokens, times);
  EXPECT_LT(relative_error(scores.similarities, expected.at("mean_embedding.similarities")), 1e-4);
  EXPECT_LT(relative_error(scores.probabilities, expected.at("mean_embedding.probabilities")), 1e-4);
  EXPECT_GT(relative_error(scores.probabilities, expected.at("probabilities")), 1e-3) << "not the method's";
  EXPECT_TRUE(at::allclose(scores.probabilities.sum(1), at::ones({kVideos})));
}

TEST(Classifier, OfOnePromptALabelBothEnsemblesScoreTheSame) {
  at::manual_seed(25);
  ActionClip model(small_sizes());
  const auto clips = random_clips(), tokens = random_tokens().narrow(0, 0, 1);
  const auto ours = Classifier(model, tokens, Precision::fp32, Ensemble::mean_embedding).classify(clips);
  const auto usual = Classifier(model, tokens).classify(clips);
  EXPECT_LT(relative_error(ours.probabilities, usual.probabilities), 1e-4);
  EXPECT_LT(relative_error(ours.similarities, usual.similarities), 1e-4);
}

TEST(Classifier, WhatAVideoScoresDoesNotDependOnTheOthersOfItsBatch) {
  at::manual_seed(22);
  const at::NoGradGuard no_grad;
  ActionClip model(small_sizes());
  const auto clips = random_clips();
  Classifier classifier(model, random_tokens());
  const auto together = classifier.classify(clips);
  const auto alone = classifier.classify(clips.narrow(0, 1, 1));
  EXPECT_LT(relative_error(alone.similarities[0], together.similarities[1]), 1e-4);
  EXPECT_LT(relative_error(alone.probabilities[0], together.probabilities[1]), 1e-4);
}

TEST(Classifier, ScoresDoNotDependOnHowManyViewsGoThroughTheModelAtOnce) {
  at::manual_seed(23);
  Classifier classifier(ActionClip(small_sizes()), random_tokens());
  const auto clips = random_clips();
  const auto whole = classifier.classify(clips);
  for (const std::int64_t views : {1, 3, 5, 8, 12, 100}) {  // 5 and 8: views of several videos together
    const auto scores = classifier.classify(clips, views);
    EXPECT_LT(relative_error(scores.similarities, whole.similarities), 1e-4) << views;
    EXPECT_LT(relative_error(scores.probabilities, whole.probabilities), 1e-4) << views;
  }
}

// By hand: the softmax of each view and prompt, or of the views' mean.
at::Tensor average_by_hand(ActionClip& model, const at::Tensor& clips, const at::Tensor& tokens,
                           ViewAverage average) {
  auto scores = at::zeros({kVideos, kClasses});
  for (std::int64_t b = 0; b < kVideos; ++b) {
    for (std::int64_t p = 0; p < kTemplates; ++p) {
      const auto text = l2_normalize(model->encode_text(tokens[p]));
      auto view_logits = at::zeros({kViews, kClasses});
      for (std::int64_t v = 0; v < kViews; ++v) {
        const auto video = l2_normalize(model->encode_video(clips[b][v].unsqueeze(0)))[0];
        view_logits[v] += 100 * at::mv(text, video);
      }
      scores[b] += average == ViewAverage::logits ? at::softmax(view_logits.mean(0), 0)
                                                  : at::softmax(view_logits, 1).mean(0);
    }
  }
  return scores / kTemplates;
}

TEST(Classifier, ViewsAreAveragedByTheirProbabilitiesOrByTheirLogits) {
  at::manual_seed(26);
  const at::NoGradGuard no_grad;
  ActionClip model(small_sizes());
  const auto clips = random_clips(), tokens = random_tokens();
  Classifier classifier(model, tokens);
  const auto usual = classifier.classify(clips);
  const auto by_logits = classifier.classify(clips, /*views_at_once=*/5, ViewAverage::logits);
  EXPECT_LT(
      relative_error(usual.probabilities, average_by_hand(model, clips, tokens, ViewAverage::probabilities)),
      1e-4);
  EXPECT_LT(
      relative_error(by_logits.probabilities, average_by_hand(model, clips, tokens, ViewAverage::logits)),
      1e-4);
  EXPECT_GT(relative_error(by_logits.probabilities, usual.probabilities), 1e-5) << "not the same";
  EXPECT_LT(relative_error(by_logits.similarities, usual.similarities), 1e-4);
  const auto one = clips.narrow(1, 0, 1);
  EXPECT_LT(relative_error(classifier.classify(one, 0, ViewAverage::logits).probabilities,
                           classifier.classify(one).probabilities),
            1e-5)
      << "of one view";
}

ActionClip linear_model() {
  at::manual_seed(24);
  auto sizes = small_sizes();
  sizes.classes = kClasses;
  ActionClip model(sizes);
  const at::NoGradGuard no_grad;
  model->classifier->weight.normal_();
  model->classifier->bias.normal_();
  return model;
}

TEST(Classifier, ALinearClassifierScoresBySoftmaxOfItsLogitsAndReadsNoText) {
  const at::NoGradGuard no_grad;
  auto model = linear_model();
  const auto clips = random_clips();
  const auto unknown = at::full({kTemplates, kClasses, 8}, 1'000'000, at::kLong);
  const auto scores = Classifier(model, unknown).classify(clips);
  auto probabilities = at::zeros({kVideos, kClasses}), logits = at::zeros({kVideos, kClasses});
  for (std::int64_t b = 0; b < kVideos; ++b) {
    for (std::int64_t v = 0; v < kViews; ++v) {
      const auto feature = model->encode_video(clips[b][v].unsqueeze(0))[0];
      const auto row = at::mv(model->classifier->weight, feature) + model->classifier->bias;
      logits[b] += row / kViews;
      probabilities[b] += row.exp() / row.exp().sum() / kViews;
    }
  }
  EXPECT_LT(relative_error(scores.probabilities, probabilities), 1e-4);
  EXPECT_LT(relative_error(scores.similarities, logits), 1e-4);
  const auto by_logits = Classifier(model, unknown).classify(clips, 0, ViewAverage::logits);
  EXPECT_LT(relative_error(by_logits.probabilities, at::softmax(logits, 1)), 1e-4);
}

TEST(Classifier, ALinearClassifierOfOtherLabelsIsRefused) {
  try {
    const Classifier classifier(linear_model(), at::zeros({1, kClasses + 1, 8}, at::kLong));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("7 labels are given, but the model ends in a linear classifier of 6"));
  }
}

ActionClip model_with_context(std::int64_t classes) {
  auto sizes = small_sizes();
  sizes.context = {.length = 2, .classes = classes};
  return ActionClip(sizes);
}

// Of P = 1 template, the context before the label.
TextInput prompts_with_places() {
  return {random_tokens().narrow(0, 0, 1), at::tensor({1, 2}, at::kLong).expand({kClasses, 2}),
          at::arange(kClasses, at::kLong)};
}

TEST(Classifier, EveryLabelIsEncodedWithItsContext) {
  at::manual_seed(24);
  const at::NoGradGuard no_grad;
  for (const std::int64_t classes : {std::int64_t{0}, kClasses}) {
    ActionClip model = model_with_context(classes);
    const auto prompts = prompts_with_places();
    const auto clips = random_clips();
    const auto scores = Classifier(model, prompts).classify(clips.narrow(1, 0, 1));
    const auto video = l2_normalize(model->encode_video(clips.select(1, 0)));
    for (std::int64_t c = 0; c < kClasses; ++c) {
      const auto own = [&](const at::Tensor& rows) { return rows.narrow(0, c, 1); };
      const auto text = l2_normalize(
          model->encode_text({own(prompts.tokens[0]), own(prompts.placeholders), own(prompts.label_ids)}));
      EXPECT_LT(relative_error(scores.similarities.select(1, c), at::matmul(video, text[0])), 1e-4) << c;
    }
  }
}

std::string error_of(ActionClip model, const TextInput& prompts) {
  try {
    const Classifier classifier(std::move(model), prompts);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Classifier, AClassSpecificContextOfAnotherNumberOfLabelsIsRefused) {
  EXPECT_THAT(error_of(model_with_context(kClasses + 1), prompts_with_places()),
              HasSubstr("a learned context of 7 labels, each with its own vectors (class-specific), but 6 "
                        "labels are given"));
  EXPECT_EQ(error_of(model_with_context(kClasses), prompts_with_places()), "no error");
}

TEST(Classifier, PromptsWithoutPlacesForTheModelsContextAreRefused) {
  EXPECT_THAT(error_of(model_with_context(0), random_tokens()), HasSubstr("without places for it"));
}

TEST(Classifier, ATokenThatTheModelDoesNotKnowIsRefused) {
  ActionClip model(small_sizes());
  auto tokens = random_tokens();
  tokens[0][0][0] = small_sizes().text.vocabulary_size;
  try {
    const Classifier classifier(model, tokens);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("token 20, but the model's vocabulary has 20 entries"));
  }
}

}  // namespace
}  // namespace actionclip
