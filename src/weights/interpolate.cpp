#include "actionclip/weights/interpolate.h"

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
