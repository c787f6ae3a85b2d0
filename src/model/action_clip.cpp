#include "actionclip/model/action_clip.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/full.h>

#include "actionclip/model/autocast.h"

namespace actionclip {
namespace {

constexpr double kInitialLogitScale = 2.6592600369327779;  // ln(1 / 0.07)

ChannelStatistics statistics_of(const ActionClipConfig& config) {
  ChannelStatistics statistics;
  const auto fill = [](std::array<float, 3>& channels, const std::vector<double>& values) {
    TORCH_CHECK(values.size() == channels.size(), values.size(), " values given for the three channels");
    std::ranges::transform(values, channels.begin(), [](double value) { return static_cast<float>(value); });
  };
  fill(statistics.mean, config.mean);
  fill(statistics.std, config.std);
  return statistics;
}

}  // namespace

ModelPart part_of(std::string_view parameter_name) {
  if (parameter_name.starts_with("visual.")) return ModelPart::image;
  if (parameter_name.starts_with("fusion.")) return ModelPart::fusion;
  if (parameter_name.starts_with("context.")) return ModelPart::context;
  if (parameter_name.starts_with("classifier.")) return ModelPart::classifier;
  return ModelPart::text;
}

at::Tensor l2_normalize(const at::Tensor& features) {
  const auto values = features.to(at::kFloat);
  return values / values.norm(2, -1, /*keepdim=*/true);
}

ActionClipImpl::ActionClipImpl(const ActionClipConfig& config)
    : config_(config), statistics_(statistics_of(config)) {
  visual = register_module("visual", make_image_encoder(config.vision));
  text = TextTransformer(config.text);
  register_module("token_embedding", text->token_embedding);
  register_parameter("positional_embedding", text->positional_embedding);
  register_module("transformer", text->transformer);
  register_module("ln_final", text->ln_final);
  register_parameter("text_projection", text->text_projection);
  logit_scale = register_parameter("logit_scale", at::full({}, kInitialLogitScale));
  fusion = register_module("fusion", make_temporal_fusion(config.fusion));
  if (config.context.length > 0)
    context = register_module("context", LearnedContext(config.context, config.text.width));
  if (config.classes > 0)
    classifier = register_module("classifier", ClassifierHead(config.vision.output_dim, config.classes));
}

at::Device ActionClipImpl::device() const { return logit_scale.device(); }

at::Tensor ActionClipImpl::images_of(const at::Tensor& clips) {
  TORCH_CHECK(clips.dim() == 5, "clips of shape ", clips.sizes(), " given, [B, T, 3, S, S] needed");
  auto images = clips.flatten(0, 1).to(device(), /*non_blocking=*/true);
  // Either encoder begins with a matrix product or a convolution, which would convert the images.
  if (images.scalar_type() == at::kByte)
    images = normalize_frames(images, statistics_, {.type = product_type(device().type())});
  return images;
}

at::Tensor ActionClipImpl::encode_frames(const at::Tensor& clips) {
  const auto features = visual->forward(images_of(clips), clips.size(1));
  return features.view({clips.size(0), -1, features.size(1)});
}

at::Tensor ActionClipImpl::attention_maps(const at::Tensor& clips) {
  const auto maps = visual->attention_maps(images_of(clips), clips.size(1));
  return maps.view({clips.size(0), clips.size(1), maps.size(1), maps.size(2)}).cpu();
}

at::Tensor ActionClipImpl::encode_video(const at::Tensor& clips) {
  return fusion->forward(encode_frames(clips));
}

at::Tensor ActionClipImpl::encode_text(const TextInput& texts) {
  if (!texts.placeholders.defined()) return text(texts.tokens);
  TORCH_CHECK(context, "texts with places for a learned context given to a model that has none");
  const bool class_specific = config_.context.classes > 0;
  const auto placeholders = texts.placeholders.to(device(), /*non_blocking=*/true);
  const auto label_ids = class_specific ? texts.label_ids.to(device(), /*non_blocking=*/true) : at::Tensor();
  return text->forward(texts.tokens, [&](const at::Tensor& embeddings) {
    return context(embeddings, placeholders, label_ids);
  });
}

void ActionClipImpl::set_trainable(ModelPart part, bool trainable) {
  for (auto& parameter : named_parameters()) {
    if (part_of(parameter.key()) == part) parameter.value().set_requires_grad(trainable);
  }
}

}  // namespace actionclip
