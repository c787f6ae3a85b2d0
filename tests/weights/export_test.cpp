// What other programs get, what they have no place for, and what they cannot compute.
#include "actionclip/weights/export.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/key_report.h"

#include "tests/weights/files.h"
#include "tests/weights/small_model.h"
#include "weights/read_architecture.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::array kAll = {NameScheme::native, NameScheme::openai, NameScheme::open_clip,
                             NameScheme::huggingface, NameScheme::actionclip};

// Weights of a model of these sizes, which a native file describes.
LoadedWeights weights_of(const ActionClipConfig& sizes) {
  LoadedWeights weights;
  weights.config = sizes;
  weights.described = weights.has_fusion = true;
  weights.told = {.heads = true, .activation = true, .end_token = true};
  weights.tensors = state_dict(ActionClip(sizes));
  for (const auto& [name, tensor] : weights.tensors) weights.origins[name] = {name};
  return weights;
}

// As other programs' models are: heads of 64, six fusion layers, positions of the context's length.
ActionClipConfig published_sizes() {
  auto sizes = small_sizes();
  sizes.vision.heads = sizes.text.heads = sizes.fusion.heads = 1;
  sizes.fusion.layers = 6;
  sizes.fusion.positions = sizes.text.context_length;
  return sizes;
}

// The message with which the model, after `change`, is refused.
std::string refusal(NameScheme scheme, const std::function<void(ActionClipConfig&)>& change) {
  auto sizes = published_sizes();
  change(sizes);
  return weights_error([&] { export_weights(weights_of(sizes), scheme); });
}

void expect_shapes_of_the_model(const ActionClipConfig& sizes) {
  std::map<std::string, std::vector<std::int64_t>> whole;
  for (const auto& [name, tensor] : state_dict(ActionClip(sizes))) whole.emplace(name, tensor.sizes().vec());
  EXPECT_EQ(expected_shapes(sizes), whole);
}

TEST(ExpectedShapes, AreThoseOfTheWholeModelWhateverItsFusion) {
  for (const auto type : {FusionType::meanP, FusionType::Conv_1D, FusionType::LSTM, FusionType::Transf,
                          FusionType::Transf_cls}) {
    auto sizes = published_sizes();
    sizes.vision.layers = 3;
    sizes.text.layers = 2;
    sizes.fusion.type = type;
    expect_shapes_of_the_model(sizes);
  }
}

TEST(ExpectedShapes, AreThoseOfTheWholeModelWhateverItsEncodersAndOtherParts) {
  auto sizes = published_sizes();
  sizes.vision.layers = 2;
  sizes.vision.mlp_width = 100;
  sizes.text.layer_scale = true;
  sizes.text.width = 32;
  sizes.context = {.length = 2, .classes = 5};
  sizes.classes = 7;
  expect_shapes_of_the_model(sizes);
  sizes.fusion.type = FusionType::meanP;
  sizes.vision.joint_frames = sizes.fusion.frames;
  expect_shapes_of_the_model(sizes);
  sizes.vision = {.image_size = 64, .width = 4, .heads = 2, .output_dim = 64, .stages = {1, 2, 3, 1}};
  expect_shapes_of_the_model(sizes);
}

TEST(ExportWeights, EachSchemeNamesTheEncodersAndLeavesOutWhatItHasNoPlaceFor) {
  const auto weights = weights_of(published_sizes());
  for (const auto scheme : kAll) {
    const auto exported = export_weights(weights, scheme);
    const bool holds_fusion = scheme == NameScheme::native || scheme == NameScheme::actionclip;
    if (holds_fusion) {
      EXPECT_THAT(exported.left_out, IsEmpty());
    } else {
      EXPECT_THAT(exported.left_out, AllOf(SizeIs(1 + 6 * 12), Each(StartsWith("fusion."))));
    }
    EXPECT_THAT(exported.notes, IsEmpty()) << scheme_name(scheme);
    EXPECT_EQ(exported.metadata.contains("actionclip.model"), scheme == NameScheme::native);
  }
}

TEST(ExportWeights, ContextAndTimePositionsHaveAPlaceInNativeNames) {
  auto sizes = published_sizes();
  sizes.context.length = 2;
  sizes.fusion.type = FusionType::meanP;
  sizes.vision.joint_frames = sizes.fusion.frames;
  const auto weights = weights_of(sizes);
  EXPECT_THAT(export_weights(weights, NameScheme::native).left_out, IsEmpty());
  EXPECT_THAT(export_weights(weights, NameScheme::actionclip).left_out, ElementsAre("context.vectors"));
  const auto exported = export_weights(weights, NameScheme::openai);
  EXPECT_THAT(exported.left_out, ElementsAre("context.vectors", "visual.time_embedding"));
  EXPECT_THAT(exported.notes, Contains(HasSubstr("each frame by itself")));
}

TEST(ExportWeights, MetadataOfANativeFileStayButForItsSettings) {
  auto weights = weights_of(published_sizes());
  weights.metadata = {{"actionclip.model", "old"}, {"actionclip.labels", "[\"run\"]"}};
  const auto exported = export_weights(weights, NameScheme::native);
  EXPECT_EQ(exported.metadata.at("actionclip.labels"), "[\"run\"]");
  EXPECT_EQ(exported.metadata.at("actionclip.model"), to_metadata(weights.config).at("actionclip.model"));
  EXPECT_FALSE(export_weights(weights, NameScheme::openai).metadata.contains("actionclip.labels"));
}

TEST(ExportWeights, PublishedHeadsGetThePositionsThatTheyHoldAndShiftedBlocksTheirName) {
  auto sizes = published_sizes();
  sizes.vision.temporal_shift = true;
  sizes.fusion.type = FusionType::Conv_1D;
  sizes.fusion.conv1d_layout = Conv1dLayout::published;
  auto weights = weights_of(sizes);
  convert_floats(weights.tensors, at::kHalf);
  auto exported = export_weights(weights, NameScheme::actionclip);
  const std::string fusion = "fusion_model_state_dict/module.";
  const auto& positions = exported.tensors.at(fusion + "frame_position_embeddings.weight");
  EXPECT_TRUE(at::equal(positions, at::zeros({8, 64}, at::kHalf))) << "unused, of the type of the others";
  EXPECT_THAT(exported.notes, ElementsAre(HasSubstr("8 rows of zeros")));
  EXPECT_TRUE(exported.tensors.contains(fusion + "shift.weight"));
  EXPECT_TRUE(
      exported.tensors.contains("model_state_dict/visual.transformer.resblocks.0.net.attn.in_proj_weight"));
  EXPECT_TRUE(exported.tensors.contains("model_state_dict/transformer.resblocks.0.attn.in_proj_weight"));
  sizes.fusion.type = FusionType::meanP;
  exported = export_weights(weights_of(sizes), NameScheme::actionclip);
  for (const auto& [name, tensor] : exported.tensors) EXPECT_THAT(name, StartsWith("model_state_dict/"));
}

TEST(ExportWeights, FramePositionsArePaddedOrCutToThoseOfThePublishedHead) {
  constexpr const char* kPositions = "fusion_model_state_dict/module.frame_position_embeddings.weight";
  for (const std::int64_t rows : {5, 11}) {
    auto sizes = published_sizes();
    sizes.fusion.positions = rows;
    const auto weights = weights_of(sizes);
    const auto& own = weights.tensors.at("fusion.frame_position_embeddings.weight");
    const auto exported = export_weights(weights, NameScheme::actionclip);
    const auto& positions = exported.tensors.at(kPositions);
    ASSERT_EQ(positions.size(0), 8);
    const auto shared = std::min<std::int64_t>(rows, 8);
    EXPECT_TRUE(at::equal(positions.narrow(0, 0, shared), own.narrow(0, 0, shared)));
    EXPECT_EQ(positions.narrow(0, shared, 8 - shared).abs().sum().item<double>(), 0);
    EXPECT_THAT(exported.notes, ElementsAre(HasSubstr("8 frame positions are written")));
  }
}

TEST(ExportWeights, WhatAProgramComputesOtherwiseIsNoted) {
  auto sizes = published_sizes();
  sizes.vision.heads = 4;
  sizes.text.activation = Activation::gelu;
  sizes.text.end_token = 7;
  sizes.fusion.layers = 2;
  sizes.fusion.layer_norm_eps = 1e-5;
  EXPECT_THAT(export_weights(weights_of(sizes), NameScheme::openai).notes,
              ElementsAre(HasSubstr("QuickGELU"), HasSubstr("4 and 1"), HasSubstr("token 7")));
  EXPECT_THAT(export_weights(weights_of(sizes), NameScheme::actionclip).notes,
              AllOf(Contains(HasSubstr("2: set the number in its code")), Contains(HasSubstr("epsilon"))));
  sizes = published_sizes();
  sizes.fusion.type = FusionType::Conv_1D;
  EXPECT_THAT(export_weights(weights_of(sizes), NameScheme::actionclip).notes,
              ElementsAre(HasSubstr("without transposing"), HasSubstr("positions that it does not use")));
}

TEST(ExportWeights, WhatNoFileSaysIsNotedWhereItMatters) {
  auto weights = weights_of(published_sizes());
  weights.told = {};
  for (const auto scheme : {NameScheme::native, NameScheme::open_clip, NameScheme::huggingface}) {
    EXPECT_THAT(export_weights(weights, scheme).notes,
                ElementsAre(HasSubstr("quick_gelu is taken"), HasSubstr("1 and 1 are taken")));
  }
  EXPECT_THAT(export_weights(weights, NameScheme::openai).notes, IsEmpty());
}

TEST(ExportWeights, ArchitecturesThatAProgramDoesNotHaveAreRefused) {
  const auto resnet = [](ActionClipConfig& sizes) {
    sizes.vision = {.image_size = 32, .width = 4, .heads = 2, .output_dim = 64, .stages = {1, 1, 1, 1}};
  };
  const auto layer_scale = [](ActionClipConfig& sizes) { sizes.text.layer_scale = true; };
  const auto other_mlp = [](ActionClipConfig& sizes) { sizes.vision.mlp_width = 100; };
  EXPECT_THAT(refusal(NameScheme::huggingface, resnet),
              HasSubstr("not a model of huggingface: it has no ResNets"));
  EXPECT_THAT(refusal(NameScheme::actionclip, resnet), HasSubstr("no ResNets"));
  for (const auto scheme : {NameScheme::openai, NameScheme::huggingface, NameScheme::actionclip})
    EXPECT_THAT(refusal(scheme, layer_scale), HasSubstr("no LayerScale"));
  for (const auto scheme : {NameScheme::openai, NameScheme::actionclip})
    EXPECT_THAT(refusal(scheme, other_mlp), HasSubstr("4 times as wide"));
  EXPECT_THAT(refusal(NameScheme::open_clip, [](auto& sizes) { sizes.text.activation = Activation::gelu; }),
              HasSubstr("one activation"));
  EXPECT_THAT(refusal(NameScheme::huggingface, [](auto& sizes) { sizes.text.end_token = 2; }),
              HasSubstr("end token 2"));
  EXPECT_THAT(refusal(NameScheme::mmaction2, [](auto&) {}), HasSubstr("only read"));
}

TEST(ExportWeights, AModelThatIsNotWholeIsRefusedAndSurplusTensorsAreNotWritten) {
  auto weights = weights_of(published_sizes());
  weights.tensors["visual.extra"] = at::zeros({2});
  EXPECT_FALSE(export_weights(weights, NameScheme::openai).tensors.contains("visual.extra"));
  weights.tensors.erase("ln_final.bias");
  weights.tensors["visual.class_embedding"] = at::zeros({3});
  EXPECT_THAT(weights_error([&] { export_weights(weights, NameScheme::openai); }),
              AllOf(HasSubstr("missing ln_final.bias [64]"),
                    HasSubstr("visual.class_embedding is [3] in the file"), Not(HasSubstr("surplus"))));
}

TEST(ReportKeys, TensorsAreUsedMissingSurplusOrLeftOver) {
  auto weights = weights_of(published_sizes());
  const auto whole = weights.tensors.size();
  weights.left_over = {"optimizer/state/0/step"};
  weights.tensors["visual.extra"] = at::zeros({2});
  weights.origins["visual.extra"] = {"module.visual.extra"};
  weights.tensors.erase("ln_final.bias");
  weights.origins.erase("ln_final.bias");
  const auto keys = report_keys(weights);
  EXPECT_THAT(keys.used, SizeIs(whole - 1));
  EXPECT_THAT(keys.missing, ElementsAre("ln_final.bias"));
  EXPECT_THAT(keys.surplus, ElementsAre("module.visual.extra"));
  EXPECT_THAT(keys.left_over, ElementsAre("optimizer/state/0/step"));
}

TEST(CountParameters, AResNetsStatisticsDoNotLearn) {
  auto sizes = published_sizes();
  sizes.vision = {.image_size = 32, .width = 4, .heads = 2, .output_dim = 64, .stages = {1, 1, 1, 1}};
  const ActionClip model(sizes);
  std::int64_t image = 0, all = 0;
  for (const auto& parameter : model->named_parameters()) {
    all += parameter.value().numel();
    image += part_of(parameter.key()) == ModelPart::image ? parameter.value().numel() : 0;
  }
  const auto counts = count_parameters(weights_of(sizes));
  EXPECT_EQ(counts.image, image);
  EXPECT_EQ(counts.total(), all);
}

TEST(MatchingArchitectures, SizesWithoutTensorsSuffice) {
  const auto names_of = [](const char* arch, const std::function<void(LoadedWeights&)>& change) {
    ModelConfig config;
    config.arch = arch;
    LoadedWeights weights;
    weights.config = resolve(config);
    weights.told = {.heads = true, .activation = true, .end_token = true};
    change(weights);
    return matching_architectures(weights);
  };
  const auto same = [](LoadedWeights&) {};
  EXPECT_THAT(names_of("ViT-B/16", same), ElementsAre("ViT-B/16", "ViT-B-16-quickgelu"));
  EXPECT_THAT(names_of("ViT-H-14", same), ElementsAre("ViT-H-14"));
  EXPECT_THAT(names_of("RN50x4", same), ElementsAre("RN50x4"));
  EXPECT_THAT(names_of("ViT-B/16", [](auto& weights) { weights.told.activation = false; }),
              ElementsAre("ViT-B/16", "ViT-B-16", "ViT-B-16-quickgelu"));
  EXPECT_THAT(names_of("ViT-B/16", [](auto& weights) { weights.config.vision.mlp_width = 3072; }),
              ElementsAre("ViT-B/16", "ViT-B-16-quickgelu"));
  EXPECT_THAT(names_of("ViT-B/16", [](auto& weights) { weights.config.vision.layers = 11; }), IsEmpty());
  EXPECT_THAT(names_of("ViT-B/16", [](auto& weights) { weights.config.vision.heads = 6; }), IsEmpty());
}

TEST(ConvertFloats, NumbersChangeTheirTypeButCountersDoNot) {
  StateDict tensors = {{"weight", at::randn({3})}, {"count", at::ones({}, at::kLong)}};
  const auto before = tensors.at("weight");
  convert_floats(tensors, at::kBFloat16);
  EXPECT_TRUE(at::equal(tensors.at("weight"), before.to(at::kBFloat16)));
  EXPECT_EQ(tensors.at("count").scalar_type(), at::kLong);
}

TEST(ConvertFloats, NumbersThatBecomeInfiniteAreRefusedThoseThatAreAreNot) {
  StateDict tensors = {{"visual.proj", at::full({2}, 1e5)}};
  EXPECT_THAT(weights_error([&] { convert_floats(tensors, at::kHalf); }),
              StartsWith("visual.proj holds numbers"));
  tensors["visual.proj"] = at::full({2}, std::numeric_limits<double>::infinity());
  EXPECT_NO_THROW(convert_floats(tensors, at::kHalf));
}

}  // namespace
}  // namespace actionclip
