#include "actionclip/weights/key_report.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"

#include "weights/model_description.h"
#include "weights/read_architecture.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// Of batch normalisation.
constexpr std::array<std::string_view, 3> kStatistics = {".running_mean", ".running_var",
                                                         ".num_batches_tracked"};

bool learns(const std::string& name) {
  return std::ranges::none_of(kStatistics, [&](std::string_view end) { return name.ends_with(end); });
}

std::int64_t& count_of(ModelPart part, PerPart<std::int64_t>& counts) {
  switch (part) {
    case ModelPart::image:
      return counts.image;
    case ModelPart::fusion:
      return counts.fusion;
    case ModelPart::context:
      return counts.context;
    case ModelPart::classifier:
      return counts.classifier;
    case ModelPart::text:
      break;
  }
  return counts.text;
}

// The sizes that make an architecture, as text that can be compared; `said` in place of what is not told.
std::string encoders_text(ActionClipConfig sizes, const ActionClipConfig& said, const Told& told) {
  auto& vision = sizes.vision;
  const auto& other = said.vision;
  vision.temporal_shift = false;
  vision.joint_frames = 0;
  vision.mlp_width = mlp_width_of(vision.mlp_width, vision.width);
  sizes.text.mlp_width = mlp_width_of(sizes.text.mlp_width, sizes.text.width);
  if (vision.is_resnet()) {  // of which it has none
    vision.patch_size = other.patch_size;
    vision.layers = other.layers;
    vision.mlp_width = other.mlp_width;
    vision.activation = other.activation;
  }
  if (!told.heads) {
    vision.heads = other.heads;
    sizes.text.heads = said.text.heads;
  }
  if (!told.activation) {
    vision.activation = other.activation;
    sizes.text.activation = said.text.activation;
  }
  if (!told.end_token) sizes.text.end_token = said.text.end_token;
  return write_config(vision) + write_config(sizes.text);
}

}  // namespace

KeyReport report_keys(const LoadedWeights& weights) {
  const auto expected = expected_names(weights.tensors, weights.config);
  KeyReport report;
  report.left_over = weights.left_over;
  for (const auto& name : expected) {
    if (!weights.tensors.contains(name)) report.missing.push_back(name);
  }
  for (const auto& [name, origins] : weights.origins) {
    auto& names = expected.contains(name) ? report.used : report.surplus;
    names.insert(names.end(), origins.begin(), origins.end());
  }
  std::ranges::sort(report.used);
  std::ranges::sort(report.surplus);
  std::ranges::sort(report.left_over);
  return report;
}

void require_no_surplus(const KeyReport& report) {
  if (report.surplus.empty()) return;
  throw WeightsError(
      fmt::format("{} tensor(s) are of a model of another kind, which is none of this program's: {}",
                  report.surplus.size(), listed(report.surplus, ", ")));
}

PerPart<std::int64_t> count_parameters(const LoadedWeights& weights) {
  PerPart<std::int64_t> counts;
  for (const auto& name : expected_names(weights.tensors, weights.config)) {
    const auto tensor = weights.tensors.find(name);
    if (tensor != weights.tensors.end() && learns(name))
      count_of(part_of(name), counts) += tensor->second.numel();
  }
  return counts;
}

std::vector<std::string> matching_architectures(const LoadedWeights& weights) {
  std::vector<std::string> names;
  for (auto& name : architecture_names()) {
    ModelConfig config;
    config.arch = name;
    config.fusion = FusionType::meanP;  // goes with any encoders
    const ActionClipConfig sizes = resolve(config);
    const Told all{.heads = true, .activation = true, .end_token = true};
    if (encoders_text(weights.config, sizes, weights.told) == encoders_text(sizes, sizes, all))
      names.push_back(std::move(name));
  }
  return names;
}

}  // namespace actionclip
