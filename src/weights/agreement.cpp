#include "weights/agreement.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"

#include "weights/model_description.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// Members of an encoder that no shape shows, and those that a ResNet does not have.
constexpr std::array<std::string_view, 4> kShownByNoShape = {"heads", "activation", "end_token",
                                                             "temporal_shift"};
constexpr std::array<std::string_view, 3> kOfTransformers = {"patch_size", "layers", "mlp_width"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

template <typename T>
std::string value_text(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return boost::describe::enum_to_string(value, "?");
  } else {
    return fmt::format("{}", value);
  }
}

// `who`: "the metadata say".
template <typename T>
void require_same(std::string_view who, const std::string& key, const T& said, const T& shown) {
  if (said == shown) return;
  throw WeightsError(
      fmt::format("{} {} {}, the tensors show {}", who, key, shortened(value_text(said)), value_text(shown)));
}

// With the default in place of 0.
VisionConfig settled(VisionConfig vision) {
  vision.mlp_width = mlp_width_of(vision.mlp_width, vision.width);
  return vision;
}

TextTransformerConfig settled(TextTransformerConfig text) {
  text.mlp_width = mlp_width_of(text.mlp_width, text.width);
  return text;
}

template <typename Encoder>
void require_same_sizes(std::string_view who, const std::string& part, const Encoder& described,
                        const Encoder& held, bool resnet) {
  using Members = boost::describe::describe_members<Encoder, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    if (contains(kShownByNoShape, member.name) || (resnet && contains(kOfTransformers, member.name))) return;
    require_same(who, fmt::format("{}.{}", part, member.name), described.*member.pointer,
                 held.*member.pointer);
  });
}

void require_same_encoders(std::string_view who, const ActionClipConfig& described,
                           const ActionClipConfig& held) {
  // First: the usual width of the perceptrons is a multiple of these, which a file may say are anything.
  require_same(who, "vision.width", described.vision.width, held.vision.width);
  require_same(who, "text.width", described.text.width, held.text.width);
  require_same_sizes(who, "vision", settled(described.vision), settled(held.vision), held.vision.is_resnet());
  require_same_sizes(who, "text", settled(described.text), settled(held.text), /*resnet=*/false);
}

}  // namespace

void require_agreement(const ActionClipConfig& described, const ActionClipConfig& held) {
  constexpr std::string_view kWho = "the metadata say";
  require_same_encoders(kWho, described, held);
  require_same(kWho, "fusion.type", described.fusion.type, held.fusion.type);
  if (has_fusion_layers(held.fusion.type))
    require_same(kWho, "fusion.layers", described.fusion.layers, held.fusion.layers);
  if (held.fusion.type == FusionType::Transf)
    require_same(kWho, "fusion.positions", described.fusion.positions, held.fusion.positions);
  if (held.fusion.type == FusionType::Transf_cls)
    require_same(kWho, "fusion.frames", described.fusion.frames, held.fusion.frames);
  require_same(kWho, "context.length", described.context.length, held.context.length);
  require_same(kWho, "context.classes", described.context.classes, held.context.classes);
  require_same(kWho, "classes", described.classes, held.classes);
}

void require_agreement(const ModelDescription& described, const ActionClipConfig& held) {
  const VisionOverrides& vision = described.vision;
  const TextOverrides& text = described.text;
  ActionClipConfig said = held;
  said.vision.image_size = vision.image_size.value_or(held.vision.image_size);
  said.vision.patch_size = vision.patch_size.value_or(held.vision.patch_size);
  said.vision.width = vision.width.value_or(held.vision.width);
  said.vision.layers = vision.layers.value_or(held.vision.layers);
  said.vision.mlp_width = vision.mlp_width.value_or(held.vision.mlp_width);
  said.vision.layer_scale = vision.layer_scale.value_or(held.vision.layer_scale);
  said.vision.stages = vision.stages.value_or(held.vision.stages);
  said.vision.output_dim = described.embed_dim.value_or(held.vision.output_dim);
  said.text.context_length = text.context_length.value_or(held.text.context_length);
  said.text.vocabulary_size = text.vocabulary_size.value_or(held.text.vocabulary_size);
  said.text.width = text.width.value_or(held.text.width);
  said.text.layers = text.layers.value_or(held.text.layers);
  said.text.mlp_width = text.mlp_width.value_or(held.text.mlp_width);
  said.text.layer_scale = text.layer_scale.value_or(held.text.layer_scale);
  said.text.output_dim = described.embed_dim.value_or(held.text.output_dim);
  require_same_encoders(described.origin + " says", said, held);
}

}  // namespace actionclip
