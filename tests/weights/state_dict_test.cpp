// What weights files may say about the sizes of their model, and what is refused before a model is built.
#include "actionclip/weights/state_dict.h"

#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"
#include "tests/weights/files.h"
#include "tests/weights/small_model.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class LoadWeights : public ::testing::Test {
 protected:
  StateDict tensors_ = state_dict(ActionClip(small_sizes()));

  std::string error_of(const std::map<std::string, std::string>& metadata) {
    const auto file = folder_ / "weights.safetensors";
    write_weights(file, tensors_, metadata);
    try {
      load_weights(file);
    } catch (const WeightsError& error) {
      return error.what();
    }
    return "no error";
  }

  // Of the real tensors below metadata that were changed.
  std::string error_of(const std::function<void(ActionClipConfig&)>& change) {
    auto sizes = small_sizes();
    change(sizes);
    return error_of(to_metadata(sizes));
  }

  TemporaryFolder folder_;
};

TEST_F(LoadWeights, EveryFindingInMetadataIsOnOneLine) {
  const auto message =
      error_of(std::map<std::string, std::string>{{"actionclip.model", "vision: 3\ntext: 4\n"}});
  EXPECT_THAT(message, AllOf(HasSubstr("vision"), HasSubstr("; "), HasSubstr("text")));
  EXPECT_TRUE(is_plain_text(message)) << message;
}

TEST_F(LoadWeights, MetadataTellWhatShapesCannot) {
  auto sizes = small_sizes();
  sizes.mean = {0.1, 0.2, 0.3};
  sizes.fusion.frames = 7;
  write_weights(folder_ / "weights.safetensors", tensors_, to_metadata(sizes));
  const auto weights = load_weights(folder_ / "weights.safetensors");
  EXPECT_TRUE(weights.described);
  EXPECT_EQ(weights.config.mean, sizes.mean);
  EXPECT_EQ(weights.config.fusion.frames, 7);
  EXPECT_EQ(weights.config.vision.heads, 2);
}

TEST_F(LoadWeights, WithoutMetadataTheShapesTell) {
  write_weights(folder_ / "weights.safetensors", tensors_, {});
  const auto weights = load_weights(folder_ / "weights.safetensors", 5);
  EXPECT_FALSE(weights.described);
  EXPECT_TRUE(weights.has_fusion);
  EXPECT_EQ(weights.config.vision.image_size, 32);
  EXPECT_EQ(weights.config.vision.patch_size, 16);
  EXPECT_EQ(weights.config.vision.heads, 1);
  EXPECT_EQ(weights.config.text.vocabulary_size, 20);
  EXPECT_EQ(weights.config.fusion.type, FusionType::Transf);
  EXPECT_EQ(weights.config.fusion.frames, 5);
}

TEST_F(LoadWeights, MetadataThatNoModelCanBeBuiltFromAreRefusedWithFileAndSize) {
  const auto message = error_of([](auto& sizes) { sizes.vision.heads = 0; });
  EXPECT_THAT(message,
              AllOf(HasSubstr("weights.safetensors: "), HasSubstr("vision.heads: must lie between")));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.heads = 3; }), HasSubstr("text.heads"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.heads = 0; }), HasSubstr("fusion.heads"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.width = 0; }), HasSubstr("fusion.width"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.frames = 78; }), HasSubstr("at most 77 frames"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.frames = -1; }), HasSubstr("frames"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.mean = {}; }), HasSubstr("mean"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.std = {0, 1, 1}; }), HasSubstr("std"));
}

TEST_F(LoadWeights, MetadataThatTheTensorsContradictAreRefused) {
  EXPECT_THAT(error_of([](auto& sizes) { sizes.vision.layers = 1'000'000'000'000; }),
              HasSubstr("the metadata say vision.layers 1000000000000, the tensors show 1"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.vision.patch_size = 0; }), HasSubstr("vision.patch_size"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.vision.image_size = 64; }), HasSubstr("vision.image_size"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.width = 128; }), HasSubstr("text.width"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.vocabulary_size = 21; }),
              HasSubstr("text.vocabulary_size"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.output_dim = 32; }), HasSubstr("text.output_dim"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.layers = 1000; }), HasSubstr("fusion.layers"));
}

TEST_F(LoadWeights, WidthsInMetadataThatCannotBeMultipliedAreRefused) {
  constexpr std::int64_t kHuge = 9'000'000'000'000'000'000;
  EXPECT_THAT(error_of([](auto& sizes) { sizes.vision.width = kHuge; }),
              HasSubstr("the metadata say vision.width 9000000000000000000, the tensors show 64"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.width = kHuge; }),
              HasSubstr("the metadata say text.width 9000000000000000000, the tensors show 64"));
}

TEST_F(LoadWeights, AModelStateDictWithoutAFusionHeadTellsNoActivation) {
  auto sizes = small_sizes();
  sizes.fusion.type = FusionType::meanP;
  const auto file = folder_ / "weights.safetensors";
  const StateDict encoders = state_dict(ActionClip(sizes));
  StateDict renamed;
  for (const auto& [name, tensor] : encoders) renamed["model_state_dict/" + name] = tensor;
  write_weights(file, renamed, {});
  const auto plain = load_weights(file);
  EXPECT_EQ(plain.scheme, NameScheme::openai);
  EXPECT_FALSE(plain.told.activation);
  EXPECT_FALSE(plain.has_fusion);
  EXPECT_EQ(plain.tensors.size(), encoders.size());
  renamed["fusion_model_state_dict/module.shift.weight"] = at::zeros({64, 1, 3});
  write_weights(file, renamed, {});
  const auto published = load_weights(file);
  EXPECT_EQ(published.scheme, NameScheme::actionclip);
  EXPECT_TRUE(published.told.activation);
  EXPECT_EQ(published.config.fusion.type, FusionType::Conv_1D);
}

TEST_F(LoadWeights, FindingsAboveTwentyAreCountedAndThoseThatAreSurplusComeLast) {
  for (int i = 0; i < 100; ++i) tensors_[fmt::format("visual.{}", i)] = at::zeros({1});
  tensors_["visual.ln_post.weight"] = at::zeros({63});
  const auto file = folder_ / "weights.safetensors";
  write_weights(file, tensors_, {});
  EXPECT_THAT(weights_error([&] { build_model(load_weights(file)); }),
              AllOf(HasSubstr("the weights do not fit the model: visual.ln_post.weight is [63] in the file, "
                              "[64] in the model; surplus visual.0 [1]; "),
                    EndsWith("; and 81 more")));
  tensors_.erase("visual.proj");
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}),
              AllOf(HasSubstr("cannot tell the architecture: missing visual.proj [64, ?]; "),
                    HasSubstr("surplus visual.0 [1]; "), EndsWith(" more")));
}

TEST_F(LoadWeights, AClassifierIsToldByItsTensorsAndMustBeWhatTheMetadataSay) {
  auto sizes = small_sizes();
  sizes.classes = 5;
  tensors_ = state_dict(ActionClip(sizes));
  const auto file = folder_ / "classifier.safetensors";
  for (const auto& metadata : {std::map<std::string, std::string>{}, to_metadata(sizes)}) {
    write_weights(file, tensors_, metadata);
    const auto weights = load_weights(file);
    EXPECT_EQ(weights.config.classes, 5);
    EXPECT_TRUE(
        at::equal(state_dict(build_model(weights)).at("classifier.bias"), tensors_.at("classifier.bias")));
  }
  EXPECT_THAT(error_of([](auto& sizes) { sizes.classes = 4; }),
              HasSubstr("the metadata say classes 4, the tensors show 5"));
  tensors_["classifier.weight"] = at::zeros({5, 63});
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}), HasSubstr("classifier.weight is [5, 63]"));
}

TEST_F(LoadWeights, ALearnedContextIsToldByItsShape) {
  for (const std::int64_t classes : {0, 5}) {
    auto sizes = small_sizes();
    sizes.context = {.length = 3, .classes = classes, .position = ContextPosition::middle};
    tensors_ = state_dict(ActionClip(sizes));
    write_weights(folder_ / "weights.safetensors", tensors_, {});
    const auto shown = load_weights(folder_ / "weights.safetensors").config.context;
    EXPECT_EQ(shown.length, 3);
    EXPECT_EQ(shown.classes, classes);
    write_weights(folder_ / "weights.safetensors", tensors_, to_metadata(sizes));
    EXPECT_EQ(load_weights(folder_ / "weights.safetensors").config.context.position, ContextPosition::middle);
  }
}

TEST_F(LoadWeights, AContextThatTheMetadataContradictOrThatDoesNotFitTheTextIsRefused) {
  tensors_["context.vectors"] = at::zeros({3, 64});
  EXPECT_THAT(error_of([](auto& sizes) { sizes.context.length = 2; }),
              HasSubstr("the metadata say context.length 2, the tensors show 3"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.context = {.length = 3, .classes = 2}; }),
              HasSubstr("the metadata say context.classes 2, the tensors show 0"));
  EXPECT_EQ(error_of([](auto& sizes) { sizes.context.length = 3; }), "no error");
  tensors_["context.vectors"] = at::zeros({3, 63});
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}),
              EndsWith("context.vectors is [3, 63] in the file, [?, 64] is needed"));
  tensors_["context.vectors"] = at::zeros({7, 64});
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}), HasSubstr("context.length"));
}

TEST_F(LoadWeights, MetadataThatAreNoConfigurationAreRefused) {
  EXPECT_THAT(error_of({{"actionclip.model", "{"}}), HasSubstr("weights.safetensors: metadata:"));
  EXPECT_THAT(error_of({{"actionclip.model", "vision: {widht: 3}"}}), HasSubstr("widht"));
  EXPECT_THAT(error_of({{"actionclip.model", "vision: {width: 1.0e+30}"}}), HasSubstr("vision.width"));
}

TEST_F(LoadWeights, ShapesThatNoModelHasAreRefused) {
  const auto error_with = [&](const std::string& name, at::IntArrayRef shape) {
    const auto kept = tensors_.at(name);
    tensors_[name] = at::zeros(shape);
    const auto message = error_of(std::map<std::string, std::string>{});
    tensors_[name] = kept;
    return message;
  };
  EXPECT_THAT(error_with("visual.positional_embedding", {0, 64}), HasSubstr("has 0 rows"));
  EXPECT_THAT(error_with("visual.positional_embedding", {4, 64}), HasSubstr("has 4 rows"));
  EXPECT_THAT(error_with("visual.positional_embedding", {1, 64}), HasSubstr("vision.image_size"));
  EXPECT_THAT(error_with("visual.conv1.weight", {64, 3, 0, 0}), HasSubstr("vision.patch_size"));
  EXPECT_THAT(error_with("visual.conv1.weight", {64, 3, 16, 8}), HasSubstr("visual.conv1.weight"));
  EXPECT_THAT(error_with("visual.conv1.weight", {65536, 3, 16, 0}), HasSubstr("visual.conv1.weight"));
  EXPECT_THAT(error_with("token_embedding.weight", {20, 0}), HasSubstr("positional_embedding"));
  EXPECT_THAT(error_with("transformer.resblocks.0.attn.out_proj.weight", {0, 64}),
              HasSubstr("transformer.resblocks.0.attn.out_proj.weight"));
  EXPECT_THAT(error_with("text_projection", {64}),
              HasSubstr("text_projection is [64] in the file, [64, ?] is needed"));
}

TEST_F(LoadWeights, TensorsThatTheSizesAreReadFromAreAllNamed) {
  for (const char* name : {"visual.proj", "token_embedding.weight", "text_projection"}) tensors_.erase(name);
  tensors_["visual.transformer.resblocks.0.attn.out_proj.weight"] = at::zeros({64, 32});
  for (const auto& metadata : {std::map<std::string, std::string>{}, to_metadata(small_sizes())}) {
    EXPECT_THAT(error_of(metadata),
                EndsWith("weights.safetensors: cannot tell the architecture: "
                         "visual.transformer.resblocks.0.attn.out_proj.weight is [64, 32] in the file, "
                         "[64, 64] is needed; missing visual.proj [64, ?]; "
                         "missing token_embedding.weight [?, ?]; missing text_projection [64, ?]"));
  }
}

TEST_F(LoadWeights, WhereASizeIsNotToldTheOtherTensorsThatDoNotFitAreNamedToo) {
  for (const char* name : {"visual.proj", "ln_final.weight", "transformer.resblocks.0.ln_1.bias",
                           "fusion.frame_position_embeddings.weight"})
    tensors_.erase(name);
  tensors_["visual.extra"] = at::zeros({2, 3});
  for (const auto& metadata : {std::map<std::string, std::string>{}, to_metadata(small_sizes())}) {
    EXPECT_THAT(error_of(metadata),
                EndsWith("weights.safetensors: cannot tell the architecture: missing visual.proj [64, ?]; "
                         "missing fusion.frame_position_embeddings.weight; missing ln_final.weight; "
                         "missing transformer.resblocks.0.ln_1.bias; surplus visual.extra [2, 3]"));
  }
}

TEST_F(LoadWeights, BlocksThatAreAllMissingAreNamedTogetherAndNoFusionHeadIsAskedFor) {
  for (auto entry = tensors_.begin(); entry != tensors_.end();)
    entry = part_of(entry->first) == ModelPart::image ? std::next(entry) : tensors_.erase(entry);
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}),
              EndsWith("missing token_embedding.weight [?, ?]; missing positional_embedding [?, ?]; "
                       "missing text_projection [?, ?]; missing ln_final.bias; missing ln_final.weight; "
                       "missing logit_scale; missing transformer.resblocks.*"));
}

TEST_F(LoadWeights, ARunFolderIsRefusedWithTheCheckpointsToNameInstead) {
  const auto run = folder_ / "run", checkpoints = run / "checkpoints";
  std::filesystem::create_directories(checkpoints);
  EXPECT_EQ(weights_error([&] { load_weights(run); }),
            run.string() + ": is a run folder, not a checkpoint: it has none yet");
  std::filesystem::create_directories(checkpoints / "last");
  EXPECT_EQ(weights_error([&] { load_weights(run); }),
            run.string() + ": is a run folder, not a checkpoint: name " + (checkpoints / "last").string());
  std::filesystem::create_directories(checkpoints / "best");
  EXPECT_THAT(weights_error([&] { load_weights(run); }),
              EndsWith("name " + (checkpoints / "best").string() + " or " + (checkpoints / "last").string()));
  write_weights(run / "model.safetensors", tensors_, {});
  EXPECT_NO_THROW(load_weights(run));
}

TEST_F(LoadWeights, ABlockCountsThoughATensorOfItIsMissing) {
  auto sizes = small_sizes();
  sizes.text.layers = 3;
  tensors_ = state_dict(ActionClip(sizes));
  tensors_.erase("transformer.resblocks.1.ln_1.weight");
  tensors_.erase("fusion.frame_position_embeddings.weight");
  write_weights(folder_ / "weights.safetensors", tensors_, {});
  const auto weights = load_weights(folder_ / "weights.safetensors");
  EXPECT_EQ(weights.file, folder_ / "weights.safetensors");
  EXPECT_EQ(weights.config.text.layers, 3);
  EXPECT_EQ(weights_error([&] { build_model(weights); }),
            weights.file.string() +
                ": the weights do not fit the model: missing transformer.resblocks.1.ln_1.weight [64]; "
                "missing fusion.frame_position_embeddings.weight [77, 64]");
}

TEST_F(LoadWeights, AFewEmptyTensorsCannotAskForManyBlocks) {
  tensors_["transformer.resblocks.3.ln_1.weight"] = at::zeros({0});
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}),
              EndsWith("missing transformer.resblocks.1.*; missing transformer.resblocks.2.*; "
                       "missing transformer.resblocks.3.attn.out_proj.weight [64, 64]; "
                       "missing transformer.resblocks.3.mlp.c_fc.weight [256, 64]; "
                       "missing transformer.resblocks.3.attn.in_proj_bias; "
                       "missing transformer.resblocks.3.attn.in_proj_weight; "
                       "missing transformer.resblocks.3.attn.out_proj.bias; "
                       "missing transformer.resblocks.3.ln_1.bias; "
                       "missing transformer.resblocks.3.ln_2.bias; "
                       "missing transformer.resblocks.3.ln_2.weight; "
                       "missing transformer.resblocks.3.mlp.c_fc.bias; "
                       "missing transformer.resblocks.3.mlp.c_proj.bias; "
                       "missing transformer.resblocks.3.mlp.c_proj.weight"));
  tensors_.erase("transformer.resblocks.3.ln_1.weight");
  tensors_["transformer.resblocks.5000000000.ln_1.weight"] = at::zeros({0});
  write_weights(folder_ / "weights.safetensors", tensors_, {});
  EXPECT_EQ(
      weights_error([&] { build_model(load_weights(folder_ / "weights.safetensors")); }),
      (folder_ / "weights.safetensors").string() +
          ": the weights do not fit the model: surplus transformer.resblocks.5000000000.ln_1.weight [0]");
}

// Of a model without metadata.
class ShownByTensors : public LoadWeights {
 protected:
  ActionClipConfig shown_of(const ActionClipConfig& sizes, std::int64_t frames = 8) {
    write_weights(folder_ / "shown.safetensors", state_dict(ActionClip(sizes)), {});
    return load_weights(folder_ / "shown.safetensors", frames).config;
  }

  // Of a ResNet with three blocks in its second stage.
  static ActionClipConfig resnet_sizes() {
    auto sizes = small_sizes();
    sizes.vision = {.image_size = 64, .width = 8, .heads = 4, .output_dim = 64, .stages = {1, 3, 1, 1}};
    return sizes;
  }
};

TEST_F(ShownByTensors, AResNetHasItsStagesWidthAndResolution) {
  const auto shown = shown_of(resnet_sizes()).vision;
  EXPECT_EQ(shown.stages, (std::vector<std::int64_t>{1, 3, 1, 1}));
  EXPECT_EQ(shown.width, 8);
  EXPECT_EQ(shown.image_size, 64);
  EXPECT_EQ(shown.output_dim, 64);
  EXPECT_EQ(shown.heads, 4) << "of width 64, as attention pools 32 times the stem's width";
}

TEST_F(ShownByTensors, WhatAResNetLacksIsNamedWithItsStatistics) {
  tensors_ = state_dict(ActionClip(resnet_sizes()));
  tensors_.erase("visual.layer2.2.bn3.running_var");
  tensors_.erase("visual.layer3.0.downsample.0.weight");
  tensors_.erase("visual.attnpool.c_proj.weight");
  for (const auto& metadata : {std::map<std::string, std::string>{}, to_metadata(resnet_sizes())}) {
    EXPECT_THAT(error_of(metadata),
                EndsWith("cannot tell the architecture: missing visual.attnpool.c_proj.weight [?, 256]; "
                         "missing visual.layer2.2.bn3.running_var; "
                         "missing visual.layer3.0.downsample.0.weight"));
  }
}

TEST_F(ShownByTensors, AFewEmptyTensorsCannotAskForManyBlocksOfAResNet) {
  tensors_ = state_dict(ActionClip(resnet_sizes()));
  tensors_["visual.layer1.15.bn1.weight"] = at::zeros({0});
  EXPECT_THAT(error_of(std::map<std::string, std::string>{}),
              AllOf(HasSubstr("missing visual.layer1.1.*; "),
                    HasSubstr("missing visual.layer1.15.conv2.weight [8, 8, 3, 3]")));
}

TEST_F(ShownByTensors, PerceptronsOfOtherWidthsAndLayerScaleAreTold) {
  auto sizes = small_sizes();
  sizes.vision.mlp_width = 96;
  sizes.vision.layer_scale = true;
  sizes.text.mlp_width = 128;
  const auto shown = shown_of(sizes);
  EXPECT_EQ(shown.vision.mlp_width, 96);
  EXPECT_TRUE(shown.vision.layer_scale);
  EXPECT_EQ(shown.text.mlp_width, 128);
  EXPECT_FALSE(shown.text.layer_scale);
  EXPECT_EQ(shown_of(small_sizes()).vision.mlp_width, 0) << "four times the width";
}

TEST_F(ShownByTensors, AWidthSaidAsANumberAgreesWithTheUsualOne) {
  EXPECT_EQ(error_of([](auto& sizes) { sizes.vision.mlp_width = 256; }), "no error");
  EXPECT_THAT(error_of([](auto& sizes) { sizes.vision.mlp_width = 255; }),
              HasSubstr("the metadata say vision.mlp_width 255, the tensors show 256"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.text.layer_scale = true; }), HasSubstr("text.layer_scale"));
}

TEST_F(ShownByTensors, JointAttentionTellsItsFrames) {
  auto sizes = small_sizes();
  sizes.vision.joint_frames = sizes.fusion.frames = 5;
  sizes.fusion.type = FusionType::meanP;
  const auto shown = shown_of(sizes);
  EXPECT_EQ(shown.vision.joint_frames, 5);
  EXPECT_EQ(shown.fusion.frames, 5);
  EXPECT_EQ(shown.fusion.type, FusionType::meanP);
}

TEST_F(ShownByTensors, EachFusionHeadIsTold) {
  for (const auto type : {FusionType::meanP, FusionType::Conv_1D, FusionType::LSTM, FusionType::Transf,
                          FusionType::Transf_cls}) {
    auto sizes = small_sizes();
    sizes.fusion.type = type;
    sizes.fusion.layers = 2;
    sizes.fusion.positions = 9;
    const auto shown = shown_of(sizes, 6).fusion;
    EXPECT_EQ(shown.type, type);
    EXPECT_EQ(shown.frames, type == FusionType::Transf_cls ? 4 : 6) << "which the class token's head tells";
    if (has_fusion_layers(type)) {
      EXPECT_EQ(shown.layers, 2);
    }
    if (type == FusionType::Transf) {
      EXPECT_EQ(shown.positions, 9);
    }
  }
}

TEST_F(ShownByTensors, AHeadThatTheMetadataContradictIsRefused) {
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.type = FusionType::LSTM; }),
              HasSubstr("the metadata say fusion.type LSTM, the tensors show Transf"));
  EXPECT_THAT(error_of([](auto& sizes) { sizes.fusion.positions = 76; }),
              HasSubstr("the metadata say fusion.positions 76, the tensors show 77"));
}

TEST_F(ShownByTensors, AnLstmOfAnotherWidthIsRefused) {
  for (auto entry = tensors_.begin(); entry != tensors_.end();)
    entry = part_of(entry->first) == ModelPart::fusion ? tensors_.erase(entry) : std::next(entry);
  tensors_["fusion.lstm_visual.weight_hh_l0"] = at::zeros({256, 63});
  EXPECT_THAT(
      error_of(std::map<std::string, std::string>{}),
      AllOf(HasSubstr("fusion.lstm_visual.weight_hh_l0 is [256, 63] in the file, [256, 64] is needed"),
            HasSubstr("missing fusion.lstm_visual.bias_ih_l0")));
}

}  // namespace
}  // namespace actionclip
