// Which names a file's tensors have, and what they are called here.
#include "weights/native_names.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/weights/tensor_convert.h"

#include "tests/weights/files.h"
#include "weights/huggingface_names.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kBlock = "visual.transformer.resblocks.0.ln_1.weight";

// A file with tensors of these names, each of one number.
TensorFile file_of(const std::vector<std::string>& names) {
  TensorFile file;
  for (const auto& name : names) file.tensors.emplace(name, from_tensor(at::ones({1})));
  return file;
}

std::string scheme_of(const std::vector<std::string>& names) {
  return scheme_name(find_naming(file_of(names)).scheme);
}

NativeTensors native_of(const std::vector<std::string>& names) {
  const auto file = file_of(names);
  return to_native(file, find_naming(file));
}

std::vector<std::string> names_of(const StateDict& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TEST(FindNaming, EachSchemeIsToldByItsNames) {
  EXPECT_EQ(scheme_of({"visual.proj", "ln_final.bias"}), "openai");
  EXPECT_EQ(scheme_of({"visual.proj", "fusion.shift.weight"}), "native");
  EXPECT_EQ(scheme_of({"visual.proj", "context.vectors"}), "native");
  EXPECT_EQ(scheme_of({"visual.proj", "classifier.weight"}), "native");
  EXPECT_EQ(scheme_of({"visual.proj", "text.ln_final.bias"}), "open_clip");
  EXPECT_EQ(scheme_of({"visual.proj", "logit_bias"}), "open_clip");
  EXPECT_EQ(scheme_of({"visual.transformer.resblocks.0.ls_1.gamma"}), "open_clip");
  EXPECT_EQ(scheme_of({"vision_model.post_layernorm.bias", "logit_scale"}), "huggingface");
  EXPECT_EQ(scheme_of({"model_state_dict/visual.transformer.resblocks.0.net.ln_1.weight"}), "actionclip");
  EXPECT_EQ(scheme_of({"model_state_dict/visual.proj", "fusion_model_state_dict/module.shift.weight"}),
            "actionclip");
  EXPECT_EQ(
      scheme_of({"state_dict/clip.visual.proj", "state_dict/adapter.transformer.resblocks.0.ln_1.bias"}),
      "mmaction2");
}

TEST(FindNaming, AModelStateDictAloneIsPublishedActionClipOnlyBesideAnEmptyFusionHead) {
  auto file = file_of({"model_state_dict/visual.proj", "model_state_dict/ln_final.bias"});
  EXPECT_EQ(find_naming(file).scheme, NameScheme::openai);
  EXPECT_EQ(find_naming(file).prefix, "model_state_dict/");
  file.empty_fusion_head = true;
  EXPECT_EQ(find_naming(file).scheme, NameScheme::actionclip);
  EXPECT_EQ(scheme_of({"model_state_dict/visual.proj", "model_state_dict/text.ln_final.bias"}), "open_clip");
}

TEST(FindNaming, MoreTensorsThanAModelHasAreRefused) {
  TensorFile file;
  const auto number = from_tensor(at::ones({1}));
  for (int i = 0; i < 25'001; ++i) file.tensors.emplace(fmt::format("visual.{}", i), number);
  EXPECT_THAT(weights_error([&] { find_naming(file); }), HasSubstr("it holds 25001 tensors"));
  file.tensors.erase("visual.0");
  EXPECT_NO_THROW(find_naming(file));
}

TEST(FindNaming, MetadataOfThisProgramMakeAFileNativeWhateverItsNames) {
  auto file = file_of({"model_state_dict/visual.proj"});
  file.metadata["actionclip.model"] = "";
  EXPECT_EQ(find_naming(file).scheme, NameScheme::native);
}

TEST(FindNaming, WhatWrapsTheModelIsTold) {
  for (const std::string prefix : {"", "module.", "model.", "state_dict/", "state_dict/module.",
                                   "_orig_mod.module.", "clip.", "model/clip."}) {
    const auto naming = find_naming(file_of({prefix + "visual.proj", prefix + "ln_final.bias"}));
    EXPECT_EQ(naming.prefix, prefix);
    EXPECT_EQ(naming.scheme, NameScheme::openai) << prefix;
  }
  EXPECT_EQ(find_naming(file_of({"model.vision_model.post_layernorm.bias", "model.logit_scale"})).prefix,
            "model.");
}

TEST(FindNaming, NamesOfNoKnownSchemeAreRefusedWithOneOfThem) {
  EXPECT_THAT(weights_error([] {
                find_naming(file_of({"layer.0.weight", "lstm_visual.weight"}));
              }),
              HasSubstr("named by no scheme that is known"));
  EXPECT_THAT(weights_error([] { find_naming(file_of({"a\nb"})); }), ::testing::Not(HasSubstr("\n")));
  EXPECT_THAT(weights_error([] { find_naming(TensorFile()); }), HasSubstr("the 0 tensors"));
}

TEST(FindNaming, TwoModelsInOneFileAreRefused) {
  EXPECT_THAT(weights_error([] {
                find_naming(file_of({"state_dict/visual.proj", "ema/visual.proj"}));
              }),
              HasSubstr("more than one model"));
  EXPECT_THAT(weights_error([] {
                find_naming(file_of({"module.visual.proj", "visual.proj"}));
              }),
              HasSubstr("more than one model"));
}

TEST(ToNative, WhatIsNoWeightOfTheModelIsLeftOver) {
  const auto native = native_of({"state_dict/module.visual.proj", "state_dict/module.attn_mask",
                                 "state_dict/module.logit_bias", "state_dict/module.context_length",
                                 "state_dict/other.weight", "optimizer/state/0/exp_avg"});
  EXPECT_THAT(names_of(native.tensors), ElementsAre("visual.proj"));
  EXPECT_THAT(native.left_over,
              UnorderedElementsAre("state_dict/module.attn_mask", "state_dict/module.logit_bias",
                                   "state_dict/module.context_length", "state_dict/other.weight",
                                   "optimizer/state/0/exp_avg"));
  EXPECT_THAT(native.origins.at("visual.proj"), ElementsAre("state_dict/module.visual.proj"));
}

TEST(ToNative, PublishedHeadsLoseTheirDataParallelPrefixAndThePositionsThatTheyDoNotUse) {
  const std::string fusion = "fusion_model_state_dict/module.";
  const auto lstm = native_of({"model_state_dict/visual.proj", fusion + "lstm_visual.weight_hh_l0",
                               fusion + "frame_position_embeddings.weight"});
  EXPECT_THAT(names_of(lstm.tensors), ElementsAre("fusion.lstm_visual.weight_hh_l0", "visual.proj"));
  EXPECT_THAT(lstm.left_over, ElementsAre(fusion + "frame_position_embeddings.weight"));
  const auto transf =
      native_of({"model_state_dict/module.visual.proj", fusion + "transformer.resblocks.0.ln_1.bias",
                 fusion + "frame_position_embeddings.weight"});
  EXPECT_THAT(names_of(transf.tensors),
              ElementsAre("fusion.frame_position_embeddings.weight",
                          "fusion.transformer.resblocks.0.ln_1.bias", "visual.proj"));
  EXPECT_THAT(transf.left_over, IsEmpty());
}

TEST(ToNative, BlocksBehindATemporalShiftLoseItsName) {
  const auto shifted = native_of({"model_state_dict/visual.transformer.resblocks.0.net.ln_1.weight"});
  EXPECT_THAT(names_of(shifted.tensors), ElementsAre(kBlock));
  EXPECT_TRUE(shifted.temporal_shift);
  EXPECT_FALSE(native_of({"model_state_dict/" + std::string(kBlock)}).temporal_shift);
}

TEST(ToNative, MmactionsAdapterIsTheFusionHead) {
  for (const std::string outer : {"", "state_dict/", "state_dict/module."}) {
    const auto native =
        native_of({outer + "clip.visual.proj", outer + "adapter.frame_position_embeddings.weight",
                   outer + "data_preprocessor.mean"});
    EXPECT_THAT(names_of(native.tensors),
                ElementsAre("fusion.frame_position_embeddings.weight", "visual.proj"));
    EXPECT_THAT(native.left_over, ElementsAre(outer + "data_preprocessor.mean"));
  }
}

TEST(ToNative, TwoTensorsForOneNameAreRefusedByBothTheirNames) {
  EXPECT_EQ(weights_error([] {
              native_of({kBlock, "visual.transformer.resblocks.0.net.ln_1.weight", "visual.proj"});
            }),
            "tensors 'visual.transformer.resblocks.0.ln_1.weight' and "
            "'visual.transformer.resblocks.0.net.ln_1.weight' would both be "
            "visual.transformer.resblocks.0.ln_1.weight");
  EXPECT_THAT(weights_error([] {
                native_of({"visual.proj", "ln_final.bias", "text.ln_final.bias"});
              }),
              HasSubstr("'ln_final.bias' and 'text.ln_final.bias' would both be ln_final.bias"));
}

// --- Hugging Face

StateDict encoder_tensors() {
  StateDict tensors;
  const std::map<std::string, std::vector<std::int64_t>> shapes = {
      {"visual.conv1.weight", {4, 3, 2, 2}},
      {"visual.class_embedding", {4}},
      {"visual.positional_embedding", {5, 4}},
      {"visual.ln_pre.weight", {4}},
      {"visual.ln_post.bias", {4}},
      {"visual.proj", {4, 3}},
      {"visual.transformer.resblocks.11.attn.in_proj_weight", {12, 4}},
      {"visual.transformer.resblocks.11.attn.in_proj_bias", {12}},
      {"visual.transformer.resblocks.11.mlp.c_fc.weight", {16, 4}},
      {"transformer.resblocks.0.attn.out_proj.bias", {2}},
      {"transformer.resblocks.0.ln_2.weight", {2}},
      {"token_embedding.weight", {7, 2}},
      {"positional_embedding", {6, 2}},
      {"ln_final.weight", {2}},
      {"text_projection", {2, 3}},
      {"logit_scale", {}},
  };
  for (const auto& [name, shape] : shapes) tensors.emplace(name, at::randn(shape));
  return tensors;
}

TensorFile file_of(const StateDict& tensors) {
  TensorFile file;
  for (const auto& [name, tensor] : tensors) file.tensors.emplace(name, from_tensor(tensor));
  return file;
}

TEST(HuggingFaceNames, ThereAndBackIsTheSame) {
  const auto tensors = encoder_tensors();
  const auto renamed = to_huggingface(tensors);
  EXPECT_EQ(renamed.at("visual_projection.weight").sizes(), at::IntArrayRef({3, 4}));
  EXPECT_EQ(renamed.at("vision_model.encoder.layers.11.self_attn.k_proj.weight").sizes(),
            at::IntArrayRef({4, 4}));
  EXPECT_TRUE(renamed.contains("vision_model.pre_layrnorm.weight")) << "as transformers spells it";
  const auto native = from_huggingface(file_of(renamed), "");
  EXPECT_EQ(names_of(native.tensors), names_of(tensors));
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(at::equal(native.tensors.at(name), tensor)) << name;
  EXPECT_THAT(native.left_over, IsEmpty());
  EXPECT_THAT(native.origins.at("visual.transformer.resblocks.11.attn.in_proj_bias"),
              ElementsAre("vision_model.encoder.layers.11.self_attn.q_proj.bias",
                          "vision_model.encoder.layers.11.self_attn.k_proj.bias",
                          "vision_model.encoder.layers.11.self_attn.v_proj.bias"));
}

TEST(HuggingFaceNames, WhatTransformersHasNoNameForIsLeftOut) {
  EXPECT_THAT(
      names_of(to_huggingface({{"fusion.shift.weight", at::ones({1})}, {"logit_scale", at::ones({})}})),
      ElementsAre("logit_scale"));
}

TEST(HuggingFaceNames, WithoutTheValueQueryAndKeyAreLeftOver) {
  auto renamed = to_huggingface(encoder_tensors());
  renamed.erase("vision_model.encoder.layers.11.self_attn.v_proj.weight");
  renamed["vision_model.embeddings.position_ids"] = at::zeros({1, 5});
  const auto native = from_huggingface(file_of(renamed), "");
  EXPECT_FALSE(native.tensors.contains("visual.transformer.resblocks.11.attn.in_proj_weight"));
  EXPECT_THAT(native.left_over, UnorderedElementsAre("vision_model.encoder.layers.11.self_attn.q_proj.weight",
                                                     "vision_model.encoder.layers.11.self_attn.k_proj.weight",
                                                     "vision_model.embeddings.position_ids"));
}

TEST(HuggingFaceNames, QueryAndKeyOfDifferentShapesAreRefused) {
  auto renamed = to_huggingface(encoder_tensors());
  renamed["vision_model.encoder.layers.11.self_attn.k_proj.weight"] = at::zeros({2, 4});
  EXPECT_THAT(weights_error([&] { from_huggingface(file_of(renamed), ""); }),
              HasSubstr("self_attn.q_proj.weight is [4, 4], "
                        "vision_model.encoder.layers.11.self_attn.k_proj.weight is [2, 4]"));
}

}  // namespace
}  // namespace actionclip
