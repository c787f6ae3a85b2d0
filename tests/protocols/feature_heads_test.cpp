// Heads on features against Python.
#include "actionclip/protocols/feature_heads.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/linear_probe.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

constexpr std::int64_t kClasses = 4;

HeadExamples random_examples(std::int64_t count) {
  at::manual_seed(12);
  const auto label_ids = at::arange(count, at::kLong).remainder(kClasses);
  // Classes that overlap, so that a probe has an optimum away from infinity.
  const auto centres = at::randn({kClasses, 8});
  return {.embeddings = l2_normalize(centres.index_select(0, label_ids) + at::randn({count, 8})),
          .label_ids = label_ids,
          .classes = kClasses};
}

TEST(FeatureHeads, ScoreAsInPython) {
  const TemporaryFolder folder;
  const auto examples = random_examples(60);
  const auto test = l2_normalize(at::randn({9, 8})), text = l2_normalize(at::randn({kClasses, 8}));
  write_weights(
      folder / "features.safetensors",
      {{"train", examples.embeddings}, {"test", test}, {"label_ids", examples.label_ids}, {"text", text}},
      {});
  run_python("feature_heads_reference.py", {folder.path().string(), "0.001", "1.5", "5.5"});
  const auto expected = read_tensors(folder / "heads.safetensors");
  const auto score = [&](const FeatureHead& head) { return head(test.unsqueeze(1)); };
  EXPECT_LT(relative_error(score(nearest_mean_head(examples)), expected.at("nearest_mean")), 1e-4);
  EXPECT_LT(relative_error(score(tip_adapter_head(examples, text, {.alpha = 1.5, .beta = 5.5})),
                           expected.at("tip_adapter")),
            1e-4);
  EXPECT_LT(relative_error(score(linear_probe_head(examples, 0.001)), expected.at("linear_probe")), 1e-3);
  const auto probe = fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = 0.001});
  const double objective = expected.at("objective").item<double>();
  EXPECT_NEAR(probe.loss, objective, 1e-6 * objective);
}

TEST(FeatureHeads, ViewsAreAveragedAsProbabilities) {
  const auto examples = random_examples(20);
  const auto embeddings = l2_normalize(at::randn({3, 5, 8}));
  const auto head = nearest_mean_head(examples);
  const auto single = head(embeddings.flatten(0, 1).unsqueeze(1)).view({3, 5, kClasses}).mean(1);
  EXPECT_TRUE(at::allclose(head(embeddings), single, 1e-5, 1e-6));
}

TEST(FeatureHeads, AClassWithoutAnExampleIsNeverNearest) {
  auto examples = random_examples(20);
  examples.classes = kClasses + 1;
  const auto scores = nearest_mean_head(examples)(l2_normalize(at::randn({50, 1, 8})));
  EXPECT_TRUE(scores.isfinite().all().item<bool>());
  EXPECT_FALSE((scores.argmax(1) == kClasses).any().item<bool>());
}

TEST(LinearProbe, StartsAnywhereAndEndsAtTheSame) {
  const auto examples = random_examples(60);
  const auto fit = [&](double l2, const LinearProbe* start) {
    return fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = l2}, start);
  };
  const auto strong = fit(0.1, nullptr), fresh = fit(0.01, nullptr), warm = fit(0.01, &strong);
  EXPECT_NEAR(warm.loss, fresh.loss, 1e-6);
  EXPECT_LT(strong.weight.norm().item<double>(), fresh.weight.norm().item<double>());
}

TEST(LinearProbe, NothingToLearnFromIsRefused) {
  const auto examples = random_examples(4);
  EXPECT_THROW(fit_linear_probe(at::zeros({0, 8}), at::zeros({0}, at::kLong), 2, {}), std::invalid_argument);
  EXPECT_THROW(fit_linear_probe(examples.embeddings, examples.label_ids, kClasses, {.l2 = 0}),
               std::invalid_argument);
}

}  // namespace
}  // namespace actionclip
