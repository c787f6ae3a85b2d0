// Where the parts of a model come from at the start of a run.
#include "actionclip/weights/initialize.h"

#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/weights/files.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t kSeed = 3;
const std::vector<double> kMean = {0.1, 0.2, 0.3};
const std::vector<double> kStd = {0.4, 0.5, 0.6};

// Every parameter of `model` that `wanted` accepts is that of `expected`.
void expect_same(const ActionClip& model, const StateDict& expected, const auto& wanted) {
  int compared = 0;
  for (const auto& [name, tensor] : state_dict(model)) {
    if (!wanted(part_of(name))) continue;
    EXPECT_TRUE(at::equal(tensor, expected.at(name).to(at::kFloat))) << name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

std::string config_error(const ModelConfig& config) {
  try {
    build_model(config, kSeed);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

class Start : public ::testing::Test {
 protected:
  // A native file, of a model with this mean and this std.
  void SetUp() override {
    auto sizes = small_sizes();
    sizes.mean = kMean;
    sizes.std = kStd;
    at::manual_seed(99);
    trained_ = state_dict(ActionClip(sizes));
    write_weights(file_, trained_, to_metadata(sizes));
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "weights.safetensors";
  StateDict trained_;
};

TEST_F(Start, EachTowerComesFromWhereItsSettingSays) {
  const auto fresh = state_dict(build_model(small_settings(), kSeed));
  auto config = start_from(small_settings(), file_);
  config.init.text = InitSource::random;
  const auto image_loaded = build_model(config, kSeed);
  expect_same(image_loaded, trained_, [](ModelPart part) { return part != ModelPart::text; });
  expect_same(image_loaded, fresh, [](ModelPart part) { return part == ModelPart::text; });
  config.init = {.image = InitSource::random, .text = InitSource::weights};
  const auto text_loaded = build_model(config, kSeed);
  expect_same(text_loaded, trained_, [](ModelPart part) { return part != ModelPart::image; });
  expect_same(text_loaded, fresh, [](ModelPart part) { return part == ModelPart::image; });
}

TEST_F(Start, AHeadOfAnotherKindStartsFresh) {
  auto sizes = small_sizes();
  sizes.fusion.type = FusionType::meanP;
  write_weights(folder_ / "mean.safetensors", state_dict(ActionClip(sizes)), to_metadata(sizes));
  const auto fresh = state_dict(build_model(small_settings(), kSeed));
  const auto model = build_model(start_from(small_settings(), folder_ / "mean.safetensors"), kSeed);
  expect_same(model, fresh, [](ModelPart part) { return part == ModelPart::fusion; });
}

TEST_F(Start, MeanAndStdAreThoseThatTheImageEncoderWasTrainedWith) {
  auto config = start_from(small_settings(), file_);
  EXPECT_EQ(build_model(config, kSeed)->config().mean, kMean);
  EXPECT_EQ(build_model(config, kSeed)->config().std, kStd);
  config.mean = kMean;
  EXPECT_EQ(build_model(config, kSeed)->config().mean, kMean);
  config.mean.reset();
  config.init.image = InitSource::random;
  EXPECT_EQ(build_model(config, kSeed)->config().mean, ActionClipConfig().mean);
}

TEST_F(Start, AMeanOrStdThatTheWeightsContradictIsRefused) {
  auto config = start_from(small_settings(), file_);
  config.mean = std::vector<double>{0.5, 0.5, 0.5};
  try {
    build_model(config, kSeed);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("model.mean: [0.5, 0.5, 0.5]"), HasSubstr("[0.1, 0.2, 0.3]")));
  }
  config.mean.reset();
  config.std = std::vector<double>{0.5, 0.5, 0.5};
  EXPECT_THROW(build_model(config, kSeed), ConfigError);
}

TEST_F(Start, HeadsThatAreNotGivenAreThoseThatTheWeightsWereTrainedWith) {
  auto config = start_from(small_settings(), file_);
  config.vision.heads.reset();
  config.text.heads.reset();
  const auto loaded = build_model(config, kSeed)->config();
  EXPECT_EQ(loaded.vision.heads, 2);
  EXPECT_EQ(loaded.text.heads, 2);
  EXPECT_EQ(loaded.fusion.heads, 2);
  config.init.image = InitSource::random;
  EXPECT_EQ(build_model(config, kSeed)->config().vision.heads, 1) << "of its width";
}

TEST_F(Start, HeadsThatTheWeightsContradictAreRefused) {
  auto config = start_from(small_settings(), file_);
  config.vision.heads = 4;
  EXPECT_EQ(config_error(config),
            "model.vision.heads: 4 is given, but the weights were trained with 2; set it to that or leave it "
            "out");
  config.init.image = InitSource::random;
  EXPECT_EQ(config_error(config), "no error");
  config = start_from(small_settings(), file_);
  config.text.heads = 4;
  EXPECT_THAT(config_error(config), HasSubstr("model.text.heads: 4 is given"));
  config.init.text = InitSource::random;
  EXPECT_THAT(config_error(config), HasSubstr("model.text.heads: 4 is given")) << "the fusion head's too";
  config.fusion = FusionType::meanP;
  EXPECT_EQ(config_error(config), "no error");
}

TEST_F(Start, WeightsThatDoNotTellTheirHeadsTakeThoseThatAreGiven) {
  write_weights(file_, trained_, {});
  auto config = start_from(small_settings(), file_);
  config.vision.heads = 4;
  EXPECT_EQ(build_model(config, kSeed)->config().vision.heads, 4);
}

TEST_F(Start, TensorsThatDoNotFitAreAllNamedWithTheirShapes) {
  auto tensors = trained_;
  tensors["visual.class_embedding"] = at::zeros({65});
  tensors["visual.extra"] = at::zeros({2, 3});
  tensors.erase("ln_final.bias");
  ActionClip model(small_sizes());
  const auto visual_proj = state_dict(model).at("visual.proj").clone();
  EXPECT_EQ(
      weights_error([&] { load_state_dict(model, tensors); }),
      "the weights do not fit the model: visual.class_embedding is [65] in the file, [64] in the model; "
      "missing ln_final.bias [64]; surplus visual.extra [2, 3]");
  EXPECT_TRUE(at::equal(state_dict(model).at("visual.proj"), visual_proj)) << "half loaded";
  const auto of_text = [](const std::string& name) { return part_of(name) == ModelPart::text; };
  EXPECT_EQ(weights_error([&] { load_state_dict(model, tensors, of_text); }),
            "the weights do not fit the model: missing ln_final.bias [64]");
}

TEST_F(Start, WeightsThatDoNotFitTheExperimentAreNamedWithTheirFile) {
  trained_["ln_final.weight"] = at::zeros({65});
  write_weights(file_, trained_, to_metadata(small_sizes()));
  EXPECT_EQ(weights_error([&] { build_model(start_from(small_settings(), file_), kSeed); }),
            file_.string() +
                ": the weights do not fit the model: ln_final.weight is [65] in the file, [64] in the model");
}

TEST_F(Start, WeightsThatDoNotTellTheirMeanTakeTheOneThatIsGiven) {
  write_weights(file_, trained_, {});
  auto config = start_from(small_settings(), file_);
  EXPECT_EQ(build_model(config, kSeed)->config().mean, ActionClipConfig().mean);
  config.mean = kMean;
  EXPECT_EQ(build_model(config, kSeed)->config().mean, kMean);
}

// The method's own start: OpenAI's archive of fp16 weights and three sizes, a fusion head that starts fresh.
TEST(StartFromOpenAi, TheTowersGiveTheReferencesFeaturesAndTheFusionIsFresh) {
  const TemporaryFolder folder;
  run_python("clip_reference.py", {"small", folder.path().string(), "archive"});
  ModelConfig config;
  config.arch = "custom";
  config.init = {.image = InitSource::random, .text = InitSource::random};
  config.fusion_layers = 2;
  config.embed_dim = 96;
  config.vision = {.image_size = 48, .patch_size = 16, .width = 128, .layers = 3, .heads = {}};
  config.text = {.context_length = 20, .vocabulary_size = 500, .width = 64, .layers = 2, .heads = {}};
  const auto fresh = state_dict(build_model(config, kSeed));

  const auto weights = load_weights(folder / "archive.pt");
  EXPECT_EQ(weights.scheme, NameScheme::openai);
  EXPECT_FALSE(weights.has_fusion);
  EXPECT_EQ(weights.tensors.at("visual.proj").scalar_type(), at::kHalf);
  auto model = build_model(start_from(config, folder / "archive.pt"), kSeed);
  expect_same(model, weights.tensors, [](ModelPart part) { return part != ModelPart::fusion; });
  expect_same(model, fresh, [](ModelPart part) { return part == ModelPart::fusion; });

  const at::NoGradGuard no_grad;
  model->eval();
  const auto io = read_tensors(folder / "io.safetensors");
  EXPECT_LT(
      relative_error(model->encode_frames(io.at("pixels").unsqueeze(1)).squeeze(1), io.at("image_features")),
      1e-4);
  EXPECT_LT(relative_error(model->encode_text(io.at("tokens")), io.at("text_features")), 1e-4);
}

}  // namespace
}  // namespace actionclip
