#include "weights/scheme_limits.h"

#include <fmt/format.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/weights/key_report.h"

#include "weights/model_description.h"

namespace actionclip {
namespace {

constexpr std::int64_t kHeadWidth = 64;             // in OpenAI's code, whatever the width
constexpr std::int64_t kPublishedFusionLayers = 6;  // of published heads
constexpr double kPublishedFusionEps = 1e-12;
constexpr const char* kTimeEmbedding = "visual.time_embedding";

bool has_other_mlp(const ActionClipConfig& model) {
  const auto other = [](const auto& encoder) {
    return mlp_width_of(encoder.mlp_width, encoder.width) != 4 * encoder.width;
  };
  return other(model.text) || (!model.vision.is_resnet() && other(model.vision));
}

bool has_layer_scale(const ActionClipConfig& model) {
  return model.vision.layer_scale || model.text.layer_scale;
}

// OpenAI's class, which the published ActionCLIP builds on.
void find_problems_of_clip(const ActionClipConfig& model, std::vector<std::string>& problems) {
  if (has_layer_scale(model)) problems.emplace_back("it has no LayerScale");
  if (has_other_mlp(model)) problems.emplace_back("its perceptrons are 4 times as wide as their encoder");
}

void find_problems_of_huggingface(const ActionClipConfig& model, std::vector<std::string>& problems) {
  if (model.vision.is_resnet()) problems.emplace_back("it has no ResNets");
  if (has_layer_scale(model)) problems.emplace_back("it has no LayerScale");
  if (model.text.end_token == kHuggingFaceLegacyEnd) {
    problems.push_back(
        fmt::format("it takes the end token {} for the largest id of a text", kHuggingFaceLegacyEnd));
  }
}

void find_problems_of_published(const ActionClipConfig& model, std::vector<std::string>& problems) {
  if (model.vision.is_resnet()) problems.emplace_back("it has no ResNets");
  find_problems_of_clip(model, problems);
  if (model.fusion.type == FusionType::Transf && model.fusion.frames > model.text.context_length) {
    problems.push_back(fmt::format("its fusion head has as many frame positions as a text has tokens, {}",
                                   model.text.context_length));
  }
}

void note_clip_code(const ActionClipConfig& model, std::vector<std::string>& notes) {
  const bool vision_gelu = !model.vision.is_resnet() && model.vision.activation == Activation::gelu;
  if (vision_gelu || model.text.activation == Activation::gelu)
    notes.emplace_back("its code computes QuickGELU, this model was trained with GELU");
  const auto attended = model.vision.width * (model.vision.is_resnet() ? kResNetExpansion : 1);
  if (model.vision.heads != attended / kHeadWidth || model.text.heads != model.text.width / kHeadWidth) {
    notes.push_back(
        fmt::format("its code has heads of {}: {} in the image encoder and {} in the text's, this "
                    "model has {} and {}",
                    kHeadWidth, attended / kHeadWidth, model.text.width / kHeadWidth, model.vision.heads,
                    model.text.heads));
  }
  if (model.text.end_token != kLargestToken)
    notes.push_back(fmt::format("its code takes a text's largest id for its end, this model token {}",
                                model.text.end_token));
}

void note_fusion(const TemporalFusionConfig& fusion, std::int64_t context_length,
                 std::vector<std::string>& notes) {
  if (has_fusion_layers(fusion.type) && fusion.layers != kPublishedFusionLayers) {
    notes.push_back(fmt::format("its fusion head has {} layers, this model's {}: set the number in its code",
                                kPublishedFusionLayers, fusion.layers));
  }
  if (fusion.type == FusionType::Transf && fusion.layer_norm_eps != kPublishedFusionEps) {
    notes.push_back(fmt::format("its fusion head normalises with an epsilon of {}, this model's with {}",
                                kPublishedFusionEps, fusion.layer_norm_eps));
  }
  if (fusion.type == FusionType::Transf && fusion.positions != context_length) {
    notes.push_back(fmt::format("{} frame positions are written, this model has {}: rows are {}",
                                context_length, fusion.positions,
                                fusion.positions < context_length ? "zeros" : "left out"));
  }
  if (fusion.type == FusionType::Conv_1D && fusion.conv1d_layout != Conv1dLayout::published)
    notes.emplace_back("its Conv_1D head reads the frames without transposing them, this model's transposes");
  if (fusion.type != FusionType::Transf && fusion.type != FusionType::meanP) {
    notes.push_back(
        fmt::format("its {} head holds frame positions that it does not use: {} rows of zeros are written",
                    boost::describe::enum_to_string(fusion.type, "?"), context_length));
  }
}

}  // namespace

std::vector<std::string> scheme_problems(const ActionClipConfig& model, NameScheme scheme) {
  std::vector<std::string> problems;
  switch (scheme) {
    case NameScheme::native:
      break;
    case NameScheme::openai:
      find_problems_of_clip(model, problems);
      break;
    case NameScheme::open_clip:
      if (!model.vision.is_resnet() && model.vision.activation != model.text.activation)
        problems.emplace_back("it has one activation for both encoders");
      break;
    case NameScheme::huggingface:
      find_problems_of_huggingface(model, problems);
      break;
    case NameScheme::actionclip:
      find_problems_of_published(model, problems);
      break;
    case NameScheme::mmaction2:
      problems.emplace_back("its checkpoints are only read");
      break;
  }
  return problems;
}

std::vector<std::string> scheme_notes(const LoadedWeights& weights, NameScheme scheme) {
  const ActionClipConfig& model = weights.config;
  std::vector<std::string> notes;
  if (scheme == NameScheme::openai || scheme == NameScheme::actionclip) note_clip_code(model, notes);
  if (scheme == NameScheme::actionclip) note_fusion(model.fusion, model.text.context_length, notes);
  const bool images_only = scheme != NameScheme::native && scheme != NameScheme::actionclip;
  if (images_only && (model.vision.temporal_shift || model.vision.joint_frames > 0))
    notes.emplace_back("its image encoder takes each frame by itself, this model's all frames of a video");
  const bool tells_settings =
      scheme == NameScheme::native || scheme == NameScheme::open_clip || scheme == NameScheme::huggingface;
  if (tells_settings && !weights.told.activation) {
    notes.push_back(fmt::format("no file says which activation the model has: {} is taken",
                                boost::describe::enum_to_string(model.text.activation, "?")));
  }
  if (tells_settings && !weights.told.heads && matching_architectures(weights).empty()) {
    notes.push_back(fmt::format("no file says how many heads the model has: {} and {} are taken",
                                model.vision.heads, model.text.heads));
  }
  return notes;
}

bool has_place(const std::string& name, NameScheme scheme) {
  if (scheme == NameScheme::native) return true;
  switch (part_of(name)) {
    case ModelPart::image:
      return name != kTimeEmbedding || scheme == NameScheme::actionclip;
    case ModelPart::text:
      return true;
    case ModelPart::fusion:
      return scheme == NameScheme::actionclip;
    case ModelPart::context:
    case ModelPart::classifier:
      break;
  }
  return false;
}

}  // namespace actionclip
