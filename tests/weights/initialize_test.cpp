// Where the parts of a model come from at the start of a run.
#include "actionclip/weights/initialize.h"

#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/key_report.h"
#include "actionclip/weights/preprocessing.h"

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

TEST_F(Start, ReadingWeightsDrawsNoRandomNumbers) {
  at::manual_seed(kSeed);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(kSeed);
  const auto report = report_keys(load_weights(file_));
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(at::equal(at::rand({4}), expected));
}

TEST_F(Start, AHeadOfAnotherKindStartsFresh) {
  auto sizes = small_sizes();
  sizes.fusion.type = FusionType::meanP;
  write_weights(folder_ / "mean.safetensors", state_dict(ActionClip(sizes)), to_metadata(sizes));
  const auto fresh = state_dict(build_model(small_settings(), kSeed));
  const auto model = build_model(start_from(small_settings(), folder_ / "mean.safetensors"), kSeed);
  expect_same(model, fresh, [](ModelPart part) { return part == ModelPart::fusion; });
}

// Settings of a model with a classifier of so many classes.
ModelConfig classifier_of(std::int64_t classes, const std::filesystem::path& weights) {
  auto config = start_from(small_settings(), weights);
  config.classifier = true;
  config.labels = classes;
  return config;
}

TEST_F(Start, AClassifierComesFromWeightsThatHaveOneOfAsManyClasses) {
  auto sizes = small_sizes();
  sizes.classes = 5;
  const auto trained = state_dict(ActionClip(sizes));
  const auto file = folder_ / "classifier.safetensors";
  write_weights(file, trained, to_metadata(sizes));
  const auto is_classifier = [](ModelPart part) { return part == ModelPart::classifier; };
  expect_same(build_model(classifier_of(5, file), kSeed), trained, is_classifier);
  const auto fresh = state_dict(build_model(classifier_of(4, file), kSeed));
  EXPECT_EQ(fresh.at("classifier.weight").sizes(), (std::vector<std::int64_t>{4, 64}));
  EXPECT_TRUE(at::equal(fresh.at("visual.proj"), trained.at("visual.proj")));
  EXPECT_FALSE(
      state_dict(build_model(start_from(small_settings(), file), kSeed)).contains("classifier.weight"))
      << "texts are matched";
  EXPECT_EQ(build_model(classifier_of(5, file_), kSeed)->config().classes, 5) << "of weights that have none";
}

// A class's vectors are of its place in the list. Labels that are not known are not compared.
TEST_F(Start, WhatIsOfEachLabelsOwnStartsFreshForOtherLabelsOrAnotherOrder) {
  const std::vector<std::string> labels = {"jump", "run", "sit"}, reordered = {"run", "jump", "sit"};
  auto sizes = small_sizes();
  sizes.classes = 3;
  sizes.context = {.length = 2, .classes = 3};
  const auto trained = state_dict(ActionClip(sizes));
  const auto file = folder_ / "labels.safetensors";
  const auto start = [&](const std::vector<std::string>& given) {
    auto config = classifier_of(3, file);
    config.context.length = 2;
    config.context.class_specific = true;
    return state_dict(build_model(config, kSeed, {}, given));
  };
  const auto expect = [&](const StateDict& started, bool loaded) {
    for (const char* name : {"classifier.weight", "context.vectors"})
      EXPECT_EQ(at::equal(started.at(name), trained.at(name)), loaded) << name;
    EXPECT_TRUE(at::equal(started.at("visual.proj"), trained.at("visual.proj")));
  };
  auto metadata = to_metadata(sizes);
  write_weights(file, trained, metadata);
  expect(start(labels), true);
  metadata[std::string(kLabelsKey)] = R"(["jump", "run", "sit"])";
  write_weights(file, trained, metadata);
  expect(start({}), true);
  expect(start(labels), true);
  expect(start(reordered), false);
}

TEST_F(Start, AContextThatLabelsShareComesFromWeightsOfOtherLabels) {
  auto sizes = small_sizes();
  sizes.context.length = 2;
  const auto trained = state_dict(ActionClip(sizes));
  const auto file = folder_ / "shared.safetensors";
  auto metadata = to_metadata(sizes);
  metadata[std::string(kLabelsKey)] = R"(["jump", "run", "sit"])";
  write_weights(file, trained, metadata);
  auto config = start_from(small_settings(), file);
  config.context.length = 2;
  config.labels = 2;
  const auto model = build_model(config, kSeed, {}, {"walk", "stand"});
  EXPECT_TRUE(at::equal(model->context->vectors, trained.at("context.vectors")));
}

// What the weights of models with this context give to a run of `config`; the run's context may start from
// the tokens.
class ContextStart : public Start {
 protected:
  at::Tensor start(const LearnedContextConfig& held, const ModelConfig& config,
                   const std::vector<std::int64_t>& tokens = {}) {
    auto sizes = small_sizes();
    sizes.context = held;
    trained_ = state_dict(ActionClip(sizes));
    write_weights(file_, trained_, to_metadata(sizes));
    const auto model = build_model(start_from(config, file_), kSeed, tokens);
    return model->context ? model->context->vectors.detach() : at::Tensor();
  }

  at::Tensor held() const { return trained_.at("context.vectors"); }
  at::Tensor embedding(std::int64_t token) const { return trained_.at("token_embedding.weight")[token]; }
};

TEST_F(ContextStart, AContextOfTheSameKindComesFromTheWeights) {
  auto config = small_settings();
  config.context = {.length = 2, .position = ContextPosition::end};
  const auto vectors = start({.length = 2, .position = ContextPosition::end}, config, {4, 7});
  EXPECT_TRUE(at::equal(vectors, held())) << "the words are for a fresh one";
  config.context.class_specific = true;
  config.labels = 5;
  const auto specific = start({.length = 2, .classes = 5, .position = ContextPosition::end}, config);
  EXPECT_TRUE(at::equal(specific, held()));
}

TEST_F(ContextStart, AnyOtherContextStartsFreshFromItsWordsIfItHasAny) {
  auto config = small_settings();
  config.context.length = 2;
  const auto words = [&] { return at::stack({embedding(4), embedding(7)}); };
  const auto starts_from_words = [&](const LearnedContextConfig& held) {
    const auto vectors = start(held, config, {4, 7});  // and now words() are those of its weights
    return at::equal(vectors, words());
  };
  EXPECT_TRUE(starts_from_words({}));
  EXPECT_TRUE(starts_from_words({.length = 3}));
  EXPECT_TRUE(starts_from_words({.length = 2, .classes = 4}));
  EXPECT_TRUE(starts_from_words({.length = 2, .position = ContextPosition::end}));
  const auto random = start({}, config);
  EXPECT_TRUE(at::equal(random, start({}, config))) << "of the seed";
  EXPECT_FALSE(at::equal(random, words()));
  config.context.class_specific = true;
  config.labels = 5;
  const auto specific = start({.length = 2, .classes = 4}, config, {4, 7});
  EXPECT_EQ(specific.sizes(), (std::vector<std::int64_t>{5, 2, 64}));
  EXPECT_TRUE(at::equal(specific[4], words()));
}

TEST_F(ContextStart, AContextChangesNothingOfTheRestAndIsLeftOutWhereNoneIsWanted) {
  EXPECT_FALSE(start({.length = 2}, small_settings()).defined());
  auto config = small_settings();
  const auto plain = state_dict(build_model(config, kSeed));
  config.context.length = 2;
  const auto with = state_dict(build_model(config, kSeed));
  EXPECT_EQ(with.size(), plain.size() + 1);
  for (const auto& [name, tensor] : plain) EXPECT_TRUE(at::equal(with.at(name), tensor)) << name;
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

// Weights in memory, of small_sizes() but for what `change` does.
LoadedWeights described(
    const std::function<void(VisionConfig& vision, TextTransformerConfig& text)>& change) {
  LoadedWeights weights;
  weights.config = small_sizes();
  change(weights.config.vision, weights.config.text);
  weights.described = true;
  weights.told = Told::everything();
  return weights;
}

std::string resolve_error(const ModelConfig& config, const LoadedWeights& weights, const LoadedParts& parts) {
  try {
    resolve(config, weights, parts);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ResolveWithWeights, TheActivationIsTheOneThatTheyWereTrainedWith) {
  const auto weights =
      described([](auto& vision, auto& text) { vision.activation = text.activation = Activation::gelu; });
  auto config = small_settings();
  const auto sizes = resolve(config, weights);
  EXPECT_EQ(sizes.vision.activation, Activation::gelu);
  EXPECT_EQ(sizes.text.activation, Activation::gelu);
  EXPECT_EQ(resolve(config, weights, {.image = false, .text = false}).vision.activation,
            Activation::quick_gelu);
  config.activation = Activation::quick_gelu;
  for (const bool image : {true, false}) {
    EXPECT_EQ(resolve_error(config, weights, {.image = image, .text = !image}),
              "model.activation: quick_gelu is given, but the weights were trained with gelu; set it to that "
              "or leave it out");
  }
  config.activation = Activation::gelu;
  EXPECT_EQ(resolve_error(config, weights, {}), "no error");
}

TEST(ResolveWithWeights, EncodersOfDifferentActivationsKeepTheirOwn) {
  const auto weights = described([](auto&, auto& text) { text.activation = Activation::gelu; });
  const auto sizes = resolve(small_settings(), weights);
  EXPECT_EQ(sizes.vision.activation, Activation::quick_gelu);
  EXPECT_EQ(sizes.text.activation, Activation::gelu);
}

TEST(ResolveWithWeights, WhatTheFileDoesNotTellIsTheExperiments) {
  auto weights = described([](auto& vision, auto& text) {
    vision.activation = text.activation = Activation::gelu;
    text.end_token = 5;
  });
  weights.described = false;
  weights.told = {};
  auto config = small_settings();
  EXPECT_EQ(resolve(config, weights).vision.activation, Activation::quick_gelu);
  EXPECT_EQ(resolve(config, weights).text.end_token, kLargestToken);
  weights.told.end_token = true;
  EXPECT_EQ(resolve(config, weights).text.end_token, 5);
  config.text.end_token = 6;
  EXPECT_THAT(resolve_error(config, weights, {}), HasSubstr("model.text.end_token: 6 is given"));
  EXPECT_EQ(resolve_error(config, weights, {.text = false}), "no error");
}

TEST(ResolveWithWeights, AFusionHeadKeepsItsPositionsAndEpsilonWhereItComesFromThem) {
  auto weights = described([](auto&, auto&) {});
  weights.has_fusion = true;
  weights.config.fusion.positions = 6;
  weights.config.fusion.layer_norm_eps = 1e-5;
  auto config = small_settings();
  EXPECT_EQ(resolve(config, weights).fusion.positions, 6);
  EXPECT_EQ(resolve(config, weights).fusion.layer_norm_eps, 1e-5);
  EXPECT_EQ(resolve(config, weights, {.fusion = false}).fusion.positions, kFusionPositions);
  config.frames = 7;
  EXPECT_EQ(resolve_error(config, weights, {}),
            "model.frames: 7 is given, but the fusion head of the weights takes at most 6");
  EXPECT_EQ(resolve_error(config, weights, {.fusion = false}), "no error");
}

TEST(ResolveWithWeights, APublishedConvolutionKeepsItsLayout) {
  auto weights = described([](auto&, auto&) {});
  weights.has_fusion = true;
  weights.config.fusion.type = FusionType::Conv_1D;
  weights.config.fusion.conv1d_layout = Conv1dLayout::published;
  auto config = small_settings();
  config.fusion = FusionType::Conv_1D;
  EXPECT_EQ(resolve(config, weights).fusion.conv1d_layout, Conv1dLayout::published);
  weights.told.conv1d_layout = false;
  EXPECT_EQ(resolve(config, weights).fusion.conv1d_layout, Conv1dLayout::time);
}

TEST(ResolveWithWeights, AVisualPromptMayBeAddedButNotTakenAway) {
  const auto plain = described([](auto&, auto&) {});
  const auto shift = described([](auto& vision, auto&) { vision.temporal_shift = true; });
  const auto joint = described([](auto& vision, auto&) { vision.joint_frames = 8; });
  auto config = small_settings();
  EXPECT_EQ(
      resolve_error(config, shift, {}),
      "model.temporal_shift: false, but the image encoder's weights were trained with it; set it to true");
  EXPECT_THAT(resolve_error(config, joint, {}), HasSubstr("model.joint: false, but"));
  EXPECT_EQ(resolve_error(config, shift, {.image = false}), "no error");
  config.temporal_shift = true;
  EXPECT_TRUE(resolve(config, shift).vision.temporal_shift);
  EXPECT_TRUE(resolve(config, plain).vision.temporal_shift);
  config.temporal_shift = false;
  config.joint = true;
  config.fusion = FusionType::meanP;
  EXPECT_EQ(resolve(config, joint).vision.joint_frames, 4) << "as the experiment has, not the weights";
  EXPECT_EQ(resolve(config, plain).vision.joint_frames, 4);
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
