// Scores of several templates and views against Python, which gets the features and knows the definition
// only.
#include "actionclip/eval/classifier.h"

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

TEST(Classifier, ScoresOfSeveralTemplatesAndViewsEqualPython) {
  const TemporaryFolder folder;
  at::manual_seed(21);
  const at::NoGradGuard no_grad;
  ActionClip model(small_sizes());
  model->logit_scale.fill_(0.5);  // learnt, but not what the test procedure uses
  const auto clips = random_clips(), tokens = random_tokens();
  const auto scores = Classifier(model, tokens).classify(clips);

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
                 {"text", at::stack(text).view({kTemplates, kClasses, -1})}},
                {});
  run_python("classifier_reference.py", {folder.path().string()});
  const auto expected = read_tensors(folder / "scores.safetensors");
  EXPECT_LT(relative_error(scores.similarities, expected.at("similarities")), 1e-4);
  EXPECT_LT(relative_error(scores.probabilities, expected.at("probabilities")), 1e-4);
  EXPECT_TRUE(at::allclose(scores.probabilities.sum(1), at::ones({kVideos})));
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
