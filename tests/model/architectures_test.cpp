// The architectures that are known by name against the configurations that come with open_clip.

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/model/config.h"

#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuickGelu = "-quickgelu";

// Of timm's encoders; without ln_pre, of averages; of other tokens and ends.
constexpr std::array<std::string_view, 3> kOtherKinds = {"SigLIP", "CLIPA", "worldwide"};

bool is_of_another_kind(std::string_view name) {
  return std::ranges::any_of(
      kOtherKinds, [&](std::string_view kind) { return name.find(kind) != std::string_view::npos; });
}

Json open_clips() { return Json::parse(run_python("architectures_reference.py")); }

// OpenAI's models are open_clip's with QuickGELU.
std::string name_in_open_clip(std::string name) {
  if (name.find('/') == std::string::npos && !name.starts_with("RN")) return name;
  std::ranges::replace(name, '/', '-');
  const auto resolution = name.find("@336px");
  if (resolution != std::string::npos) name.replace(resolution, std::string::npos, "-336");
  return name + std::string(kQuickGelu);
}

// Every "-quickgelu" is known here; where open_clip has none, the sizes are those of the name without it.
Json open_clips_sizes(const Json& all, const std::string& name) {
  if (all.contains(name)) return all.at(name);
  Json sizes = all.at(name.substr(0, name.rfind(kQuickGelu)));
  sizes["activation"] = "quick_gelu";
  return sizes;
}

Json vision_sizes(const VisionConfig& vision) {
  const bool resnet = vision.is_resnet();
  Json sizes;
  sizes["image_size"] = vision.image_size;
  sizes["width"] = vision.width;
  sizes["heads"] = vision.heads;
  sizes["layers"] = resnet ? 0 : vision.layers;
  sizes["stages"] = vision.stages;
  sizes["patch_size"] = resnet ? 0 : vision.patch_size;
  sizes["mlp_width"] = resnet ? 0 : mlp_width_of(vision.mlp_width, vision.width);
  sizes["layer_scale"] = vision.layer_scale;
  return sizes;
}

Json text_sizes(const TextTransformerConfig& text) {
  Json sizes;
  sizes["context_length"] = text.context_length;
  sizes["vocabulary_size"] = text.vocabulary_size;
  sizes["width"] = text.width;
  sizes["heads"] = text.heads;
  sizes["layers"] = text.layers;
  sizes["mlp_width"] = mlp_width_of(text.mlp_width, text.width);
  sizes["layer_scale"] = text.layer_scale;
  return sizes;
}

ActionClipConfig sizes_of(const std::string& arch) {
  ModelConfig config;
  config.arch = arch;
  return resolve(config);
}

TEST(Architectures, EveryNameHasOpenClipsSizes) {
  const Json all = open_clips();
  for (const auto& name : architecture_names()) {
    const auto sizes = sizes_of(name);
    Json ours;
    ours["embed_dim"] = sizes.vision.output_dim;
    ours["activation"] = sizes.vision.activation == Activation::gelu ? "gelu" : "quick_gelu";
    ours["vision"] = vision_sizes(sizes.vision);
    ours["text"] = text_sizes(sizes.text);
    EXPECT_EQ(ours.dump(), open_clips_sizes(all, name_in_open_clip(name)).dump()) << name;
    EXPECT_EQ(sizes.text.output_dim, sizes.vision.output_dim) << name;
    EXPECT_EQ(sizes.text.activation, sizes.vision.activation) << name;
    EXPECT_EQ(sizes.text.end_token, kLargestToken) << name;
  }
}

// Unknown are those of another kind, and ResNets with GELU, which `activation: gelu` gives.
TEST(Architectures, EveryNameOfOpenClipsIsKnownButForThoseOfAnotherKind) {
  const Json all = open_clips();
  std::set<std::string> known;
  for (const auto& name : architecture_names()) known.insert(name_in_open_clip(name));
  for (auto entry = all.begin(); entry != all.end(); ++entry) {
    const std::string& name = entry.key();
    const bool gelu_resnet = name.starts_with("RN") && !name.ends_with(kQuickGelu);
    EXPECT_EQ(entry.value().is_null(), is_of_another_kind(name)) << name;
    EXPECT_EQ(known.contains(name), !is_of_another_kind(name) && !gelu_resnet) << name;
  }
}

}  // namespace
}  // namespace actionclip
