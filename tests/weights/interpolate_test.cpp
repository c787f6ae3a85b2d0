// Mixtures of a fine-tuned model, with a fusion head and a classifier, and a CLIP.
#include "actionclip/weights/interpolate.h"

#include <limits>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/model/image_encoder.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/weights/files.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Interpolate : public ::testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(31);
    auto sizes = small_sizes();
    sizes.classes = 3;
    write_weights(folder_ / "finetuned.safetensors", state_dict(ActionClip(sizes)), to_metadata(sizes));
    start_ = state_dict(ActionClip(small_sizes()));
    std::erase_if(start_, [](const auto& entry) { return entry.first.starts_with("fusion."); });
    write_start({});
    finetuned_ = load_weights(folder_ / "finetuned.safetensors");
  }

  void write_start(const std::map<std::string, std::string>& metadata) {
    write_weights(folder_ / "pretrained.safetensors", start_, metadata);
    pretrained_ = load_weights(folder_ / "pretrained.safetensors");
  }

  std::string error_of(const LoadedWeights& pretrained) const {
    return weights_error([&] { interpolate(finetuned_, pretrained, 0.5); });
  }

  const TemporaryFolder folder_;
  StateDict start_;
  LoadedWeights finetuned_, pretrained_;
};

bool is_kept(const std::string& name) {
  return name.starts_with("fusion.") || name.starts_with("classifier.");
}

TEST_F(Interpolate, AMixtureIsPythons) {
  for (const double ratio : {0.25, 0.9}) {
    run_python("interpolate_reference.py", {folder_.path().string(), fmt::format("{}", ratio)});
    const auto expected = read_tensors(folder_ / "mixed.safetensors");
    const auto mixture = interpolate(finetuned_, pretrained_, ratio);
    EXPECT_EQ(expected.size(), start_.size());
    for (const auto& [name, tensor] : mixture.tensors) {
      if (is_kept(name)) {
        EXPECT_TRUE(at::equal(tensor, finetuned_.tensors.at(name))) << name;
      } else {
        EXPECT_LT(relative_error(tensor, expected.at(name)), 1e-6) << name;
      }
    }
  }
}

TEST_F(Interpolate, TheEndsAreTheModelsThemselves) {
  start_.at("visual.proj")[0][0] = std::numeric_limits<float>::infinity();
  start_.at("text_projection") = start_.at("text_projection").to(at::kHalf);  // as OpenAI's files are
  write_start({});
  const auto none = interpolate(finetuned_, pretrained_, 0), all = interpolate(finetuned_, pretrained_, 1);
  for (const auto& [name, tensor] : finetuned_.tensors) {
    EXPECT_TRUE(at::equal(none.tensors.at(name), tensor)) << name;
    const auto& end = is_kept(name) ? tensor : start_.at(name).to(at::kFloat);
    EXPECT_TRUE(at::equal(all.tensors.at(name), end)) << name;
  }
  EXPECT_EQ(all.config.classes, 3);
  EXPECT_EQ(all.tensors.at("text_projection").scalar_type(), at::kFloat);
}

TEST_F(Interpolate, SaysWhatIsMixedAndWhatIsKept) {
  finetuned_.tensors["visual.time_embedding"] = at::zeros({4, 64});
  const auto names = interpolated_names(finetuned_, pretrained_);
  EXPECT_THAT(names.mixed,
              AllOf(Contains("logit_scale"), Contains("visual.proj"), Contains("text_projection")));
  EXPECT_THAT(names.kept, AllOf(Contains("classifier.bias"), Contains("visual.time_embedding"),
                                Contains("fusion.frame_position_embeddings.weight")));
  EXPECT_EQ(names.mixed.size() + names.kept.size(), finetuned_.tensors.size());
}

// That of a stage of images and texts has learnt nothing.
TEST_F(Interpolate, TheFusionHeadIsTheFineTunedOneAlsoWhereThePretrainedModelHasOne) {
  at::manual_seed(32);
  start_ = state_dict(ActionClip(small_sizes()));
  write_start(to_metadata(small_sizes()));
  const auto all = interpolate(finetuned_, pretrained_, 1);
  for (const auto& [name, tensor] : all.tensors) {
    if (!is_kept(name)) continue;
    EXPECT_TRUE(at::equal(tensor, finetuned_.tensors.at(name))) << name;
  }
}

// As training interpolates them when it starts; what the start lacks stays as it was fine-tuned.
TEST_F(Interpolate, PositionsOfAnotherResolutionAreFittedFirst) {
  const std::string positions = "visual.positional_embedding";
  finetuned_.tensors[positions] = at::randn({1 + 9, 64});
  finetuned_.tensors["visual.time_embedding"] = at::zeros({4, 64});
  EXPECT_THAT(error_of(pretrained_), HasSubstr(positions + " is [5, 64] there and [10, 64]"));
  auto fitted = pretrained_;
  fit_pretrained(finetuned_, fitted);
  const auto start = resize_positions(pretrained_.tensors.at(positions), 3);
  EXPECT_TRUE(at::equal(fitted.tensors.at(positions), start));
  EXPECT_FALSE(fitted.tensors.contains("visual.time_embedding"));
  const auto mixture = interpolate(finetuned_, fitted, 0.25);
  EXPECT_TRUE(
      at::allclose(mixture.tensors.at(positions), 0.25 * start + 0.75 * finetuned_.tensors.at(positions)));
}

TEST_F(Interpolate, ModelsOfOtherSizesAreRefusedWithBothFiles) {
  auto other = pretrained_;
  other.tensors["visual.proj"] = at::zeros({64, 32});
  other.tensors["visual.transformer.resblocks.1.ln_1.bias"] = at::zeros({64});
  EXPECT_THAT(error_of(other),
              AllOf(HasSubstr("pretrained.safetensors: is not what"), HasSubstr("finetuned.safetensors"),
                    HasSubstr("visual.proj is [64, 32] there and [64, 64]"),
                    HasSubstr("lacks visual.transformer.resblocks.1.ln_1.bias")));
  other.config.vision.layers = 2;
  other.config.text.width = 32;
  EXPECT_THAT(
      error_of(other),
      AllOf(HasSubstr("vision.layers is 2 there and 1 in the fine-tuned model; text.width is 32 there"),
            Not(HasSubstr("visual.proj"))))
      << "sizes tell more than their tensors";
  other.tensors.clear();
  EXPECT_THAT(error_of(other), HasSubstr("they share no weights"));
}

TEST_F(Interpolate, ModelsThatAreUsedOtherwiseAreRefusedWhereBothSayIt) {
  auto sizes = small_sizes();
  sizes.fusion.type = FusionType::meanP;
  sizes.vision.heads = 4;
  sizes.std = {1, 1, 1};
  write_start(to_metadata(sizes));
  EXPECT_THAT(error_of(pretrained_), AllOf(HasSubstr("vision.heads differ"), HasSubstr("std differ"),
                                           Not(HasSubstr("mean differ"))));
  pretrained_.told = {};
  EXPECT_NO_THROW(interpolate(finetuned_, pretrained_, 0.5));
}

TEST_F(Interpolate, ARatioOutsideIsRefused) {
  for (const double ratio : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THROW(interpolate(finetuned_, pretrained_, ratio), Error);
}

}  // namespace
}  // namespace actionclip
