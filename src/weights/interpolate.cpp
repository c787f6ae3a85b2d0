#include "actionclip/weights/interpolate.h"

#include <utility>

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/weights/tensor_file.h"

#include "fit_positions.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

bool is_of_encoder(const std::string& name) {
  const auto part = part_of(name);
  return part == ModelPart::image || part == ModelPart::text;
}

// What no shape shows of two models, as far as both files tell it.
void compare_use(const LoadedWeights& finetuned, const LoadedWeights& pretrained,
                 std::vector<std::string>& findings) {
  const auto compare = [&](const char* key, bool Told::*told, const auto& value_of) {
    if (!(finetuned.told.*told && pretrained.told.*told)) return;
    if (value_of(finetuned.config) != value_of(pretrained.config))
      findings.push_back(fmt::format("{} differ", key));
  };
  using Config = ActionClipConfig;
  compare("vision.heads", &Told::heads, [](const Config& config) { return config.vision.heads; });
  compare("text.heads", &Told::heads, [](const Config& config) { return config.text.heads; });
  compare("vision.activation", &Told::activation,
          [](const Config& config) { return config.vision.activation; });
  compare("text.activation", &Told::activation, [](const Config& config) { return config.text.activation; });
  compare("text.end_token", &Told::end_token, [](const Config& config) { return config.text.end_token; });
  compare("mean", &Told::input, [](const Config& config) { return config.mean; });
  compare("std", &Told::input, [](const Config& config) { return config.std; });
}

// "vision.width is 768 there and 1024 in the fine-tuned model": the sizes that make tensors of other shapes
// or names. The number of pixels is none of them, as positions are resized.
std::vector<std::string> other_sizes(const ActionClipConfig& finetuned, const ActionClipConfig& pretrained) {
  std::vector<std::string> findings;
  const auto compare = [&](const char* key, std::int64_t own, std::int64_t there) {
    if (own != there)
      findings.push_back(fmt::format("{} is {} there and {} in the fine-tuned model", key, there, own));
  };
  const auto& image = finetuned.vision;
  const auto& other_image = pretrained.vision;
  if (image.is_resnet() != other_image.is_resnet()) {
    findings.push_back(fmt::format("its image encoder is {} ResNet", other_image.is_resnet() ? "a" : "no"));
  } else {
    compare("vision.width", image.width, other_image.width);
    compare("vision.layers", image.layers, other_image.layers);
    compare("vision.patch_size", image.patch_size, other_image.patch_size);
    compare("vision.mlp_width", mlp_width_of(image.mlp_width, image.width),
            mlp_width_of(other_image.mlp_width, other_image.width));
    if (image.stages != other_image.stages) findings.emplace_back("vision.stages differ");
  }
  const auto& text = finetuned.text;
  const auto& other_text = pretrained.text;
  compare("text.width", text.width, other_text.width);
  compare("text.layers", text.layers, other_text.layers);
  compare("text.mlp_width", mlp_width_of(text.mlp_width, text.width),
          mlp_width_of(other_text.mlp_width, other_text.width));
  compare("text.context_length", text.context_length, other_text.context_length);
  compare("text.vocabulary_size", text.vocabulary_size, other_text.vocabulary_size);
  compare("embed_dim", image.output_dim, other_image.output_dim);
  return findings;
}

void require_none(const std::vector<std::string>& findings, const LoadedWeights& finetuned,
                  const LoadedWeights& pretrained) {
  if (findings.empty()) return;
  throw WeightsError(with_file(
      pretrained, fmt::format("is not what {} started from: {}",
                              finetuned.file.empty() ? "the fine-tuned model" : finetuned.file.string(),
                              listed(findings, "; "))));
}

at::Tensor mix(const at::Tensor& finetuned, const at::Tensor& pretrained, double pretrained_weight) {
  const auto start = pretrained.to(at::kFloat), end = finetuned.to(at::kFloat);
  if (pretrained_weight == 0) return end;  // else 0 * infinity would be no number
  if (pretrained_weight == 1) return start;
  return pretrained_weight * start + (1 - pretrained_weight) * end;
}

}  // namespace

// Positions in time that `pretrained` lacks are kept as they were fine-tuned, so it gets none.
void fit_pretrained(const LoadedWeights& finetuned, LoadedWeights& pretrained) {
  StateDict shared;
  for (const auto& [name, tensor] : finetuned.tensors) {
    if (pretrained.tensors.contains(name)) shared.emplace(name, tensor);
  }
  fit_positions(pretrained.tensors, shared);
}

InterpolatedNames interpolated_names(const LoadedWeights& finetuned, const LoadedWeights& pretrained) {
  InterpolatedNames names;
  std::vector<std::string> findings;
  for (const auto& [name, tensor] : finetuned.tensors) {
    const auto found = pretrained.tensors.find(name);
    if (found == pretrained.tensors.end() || !is_of_encoder(name) || !tensor.is_floating_point()) {
      names.kept.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      findings.push_back(fmt::format("{} is {} there and {} in the fine-tuned model", name,
                                     shape_string(found->second.sizes().vec()),
                                     shape_string(tensor.sizes().vec())));
    } else {
      names.mixed.push_back(name);
    }
  }
  for (const auto& [name, tensor] : pretrained.tensors) {
    if (is_of_encoder(name) && !finetuned.tensors.contains(name))
      findings.push_back(fmt::format("the fine-tuned model lacks {}", name));
  }
  if (!findings.empty()) {  // each from other sizes, where there are such
    auto sizes = other_sizes(finetuned.config, pretrained.config);
    if (!sizes.empty()) findings = std::move(sizes);
  }
  compare_use(finetuned, pretrained, findings);
  if (names.mixed.empty() && findings.empty()) findings.emplace_back("they share no weights");
  require_none(findings, finetuned, pretrained);
  return names;
}

LoadedWeights interpolate(const LoadedWeights& finetuned, const LoadedWeights& pretrained,
                          double pretrained_weight) {
  if (!(pretrained_weight >= 0 && pretrained_weight <= 1)) {
    throw Error(fmt::format("pretrained_weight must lie between 0 (fine-tuned) and 1 (pre-trained), found {}",
                            pretrained_weight));
  }
  LoadedWeights result = finetuned;
  for (const auto& name : interpolated_names(finetuned, pretrained).mixed) {
    auto& tensor = result.tensors.at(name);
    tensor = mix(tensor, pretrained.tensors.at(name), pretrained_weight);
  }
  return result;
}

}  // namespace actionclip
