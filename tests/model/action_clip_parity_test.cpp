// The towers against transformers' CLIPModel with the same random weights.

#include <gtest/gtest.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/weights/initialize.h"

#include "tests/parity/module_reference.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;

at::Tensor logits_of(const ActionClip& model, const at::Tensor& image, const at::Tensor& text) {
  return model->logit_scale.exp() * at::matmul(l2_normalize(image), l2_normalize(text).t());
}

class ClipParity : public ::testing::TestWithParam<const char*> {};

TEST_P(ClipParity, FeaturesAndLogitsEqualTransformers) {
  const TemporaryFolder folder;
  run_python("clip_reference.py", {GetParam(), folder.path().string()});
  const at::NoGradGuard no_grad;
  ActionClip model = build_model(load_weights(folder / "weights.safetensors"));
  model->eval();
  const auto io = read_tensors(folder / "io.safetensors");

  const auto image = model->encode_frames(io.at("pixels").unsqueeze(1)).squeeze(1);
  const auto text = model->encode_text(io.at("tokens"));
  EXPECT_LT(relative_error(image, io.at("image_features")), kTolerance);
  EXPECT_LT(relative_error(text, io.at("text_features")), kTolerance);
  EXPECT_LT(relative_error(logits_of(model, image, text), io.at("logits")), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ClipParity, ::testing::Values("ViT-B/32", "ViT-B/16", "small"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase_if(
                               name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

TEST(ClipGradientsParity, ThoseOfBothTowersAndTheLogitScaleEqualTransformers) {
  const TemporaryFolder folder;
  run_python("clip_reference.py", {"small", folder.path().string()});
  ActionClip model = build_model(load_weights(folder / "weights.safetensors"));
  const auto io = read_tensors(folder / "io.safetensors");
  const auto image = model->encode_frames(io.at("pixels").unsqueeze(1)).squeeze(1);
  const auto logits = logits_of(model, image, model->encode_text(io.at("tokens")));
  (logits * io.at("upstream")).sum().backward();
  auto expected = below(io, "grad.");
  for (const auto& parameter : model->named_parameters()) {
    const auto& name = parameter.key();
    if (part_of(name) == ModelPart::fusion) continue;
    const auto found = expected.extract(name);
    if (found.empty())
      ADD_FAILURE() << "no gradient is named " << name;
    else
      expect_same_gradient(name, parameter.value().grad(), found.mapped(), kTolerance);
  }
  EXPECT_TRUE(expected.empty()) << expected.begin()->first << " is no parameter";
}

// The shortcut for the last block must not change gradients either.
TEST(ActionClip, GradientsOfTheSelectedRowEqualThoseOfTheWholeSequence) {
  at::manual_seed(5);
  for (const bool causal : {false, true}) {
    Transformer transformer(TransformerOptions{.width = 64, .layers = 2, .heads = 2, .causal = causal});
    const auto x = at::randn({3, 7, 64});
    const auto positions = at::tensor({2, 6, 0}, at::kLong);
    const auto weights = at::randn({3, 64});
    const auto gradients = [&](const at::Tensor& rows) {
      transformer->zero_grad();
      (rows * weights).sum().backward();
      std::vector<at::Tensor> result;
      for (const auto& parameter : transformer->parameters()) result.push_back(parameter.grad().clone());
      return result;
    };
    const auto whole =
        transformer->forward(x).gather(1, positions.view({3, 1, 1}).expand({3, 1, 64})).squeeze(1);
    const auto expected = gradients(whole);
    const auto selected = transformer->forward_at(x, positions);
    EXPECT_LT(relative_error(selected, whole.detach()), 1e-5);
    const auto actual = gradients(selected);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(at::allclose(actual[i], expected[i], 1e-4, 1e-5));
  }
}

ActionClipConfig tiny_config(FusionType fusion, std::int64_t frames) {
  ActionClipConfig config;
  config.vision = {
      .image_size = 32, .patch_size = 16, .width = 64, .layers = 1, .heads = 1, .output_dim = 64};
  config.text = {
      .context_length = 8, .vocabulary_size = 20, .width = 64, .layers = 1, .heads = 1, .output_dim = 64};
  config.fusion = {.type = fusion, .width = 64, .layers = 1, .heads = 1, .frames = frames};
  return config;
}

TEST(ActionClip, NamesAreClipsAndTheHeadsBelowFusion) {
  const ActionClipConfig config = tiny_config(FusionType::Transf, 4);
  ActionClip model(config);
  const auto tensors = state_dict(model);
  for (const char* name :
       {"visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding",
        "visual.ln_pre.weight", "visual.transformer.resblocks.0.attn.in_proj_weight",
        "visual.transformer.resblocks.0.attn.out_proj.bias", "visual.transformer.resblocks.0.mlp.c_fc.weight",
        "visual.transformer.resblocks.0.ln_2.bias", "visual.ln_post.bias", "visual.proj",
        "transformer.resblocks.0.mlp.c_proj.bias", "token_embedding.weight", "positional_embedding",
        "ln_final.weight", "text_projection", "logit_scale", "fusion.frame_position_embeddings.weight",
        "fusion.transformer.resblocks.0.attn.in_proj_bias"}) {
    EXPECT_TRUE(tensors.contains(name)) << name;
  }
  EXPECT_EQ(tensors.size(), 51u);  // 20 of the image tower, 18 of the text tower, 13 of the head
}

TEST(ActionClip, BytesAreScaledAndNormalised) {
  const ActionClipConfig config = tiny_config(FusionType::meanP, 2);
  const at::NoGradGuard no_grad;
  ActionClip model(config);
  const auto bytes = at::randint(0, 256, {2, 2, 3, 32, 32}, at::kByte);
  const auto mean = at::tensor(config.mean, at::kFloat).view({1, 1, 3, 1, 1});
  const auto std = at::tensor(config.std, at::kFloat).view({1, 1, 3, 1, 1});
  const auto floats = (bytes.to(at::kFloat) / 255 - mean) / std;
  EXPECT_LT(relative_error(model->encode_video(bytes), model->encode_video(floats)), 1e-5);
}

// Frozen parts get no gradients, the others theirs, and freezing can be undone.
TEST(ActionClip, SetTrainableTurnsTheGradientsOfOnePartOffAndOn) {
  const ActionClipConfig config = tiny_config(FusionType::Transf, 2);
  ActionClip model(config);
  const auto clips = at::randint(0, 256, {2, 2, 3, 32, 32}, at::kByte);
  const auto tokens = at::tensor({1, 3, 19, 0, 0, 0, 0, 0}, at::kLong).unsqueeze(0);
  for (const auto part : {ModelPart::image, ModelPart::text, ModelPart::fusion}) {
    model->zero_grad();
    model->set_trainable(part, false);
    const auto similarity = at::matmul(model->encode_video(clips), model->encode_text(tokens).t());
    (model->logit_scale.exp() * similarity).sum().backward();
    for (const auto& parameter : model->named_parameters()) {
      EXPECT_EQ(parameter.value().grad().defined(), part_of(parameter.key()) != part) << parameter.key();
    }
    model->set_trainable(part, true);
    for (const auto& parameter : model->parameters()) EXPECT_TRUE(parameter.requires_grad());
  }
}

}  // namespace
}  // namespace actionclip
