#include "tools/weights_report.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "src/weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr std::size_t kShownNames = 20;
constexpr std::size_t kShownBytes = 100;  // of a text

const char* enum_name(auto value) { return boost::describe::enum_to_string(value, "?"); }

std::string encoder_sizes(const ActionClipConfig& model) {
  const auto& vision = model.vision;
  const auto& text = model.text;
  const auto image =
      vision.is_resnet()
          ? fmt::format("ResNet of {} blocks, width {}", fmt::join(vision.stages, "-"), vision.width)
          : fmt::format("vision transformer of {} blocks, width {}, patches of {}", vision.layers,
                        vision.width, vision.patch_size);
  return fmt::format("{} for {} pixels; text transformer of {} blocks, width {}, {} tokens; {} features",
                     image, vision.image_size, text.layers, text.width, text.context_length,
                     vision.output_dim);
}

std::string fusion_text(const LoadedWeights& weights) {
  const auto& fusion = weights.config.fusion;
  if (!weights.has_fusion) return "no fusion head";
  if (!has_fusion_layers(fusion.type)) return fmt::format("fusion {}", enum_name(fusion.type));
  return fmt::format("fusion {} of {} blocks", enum_name(fusion.type), fusion.layers);
}

std::string heads_text(const ActionClipConfig& model) {
  return fmt::format("image {}, text {}", model.vision.heads, model.text.heads);
}

// A ResNet's image encoder has none to choose.
std::string activation_text(const ActionClipConfig& model) {
  const auto text = enum_name(model.text.activation);
  if (model.vision.is_resnet() || model.vision.activation == model.text.activation) return text;
  return fmt::format("image {}, text {}", enum_name(model.vision.activation), text);
}

// Whether the model has the heads of this known architecture.
bool has_heads_of(const std::string& arch, const ActionClipConfig& model) {
  ModelConfig config;
  config.arch = arch;
  config.fusion = FusionType::meanP;  // goes with any encoders
  const auto sizes = resolve(config);
  return sizes.vision.heads == model.vision.heads && sizes.text.heads == model.text.heads;
}

// A described struct as a JSON object.
template <typename T>
nlohmann::ordered_json described_json(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return enum_name(value);
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
        [&](auto member) { object[member.name] = described_json(value.*member.pointer); });
    return object;
  } else {
    return value;
  }
}

// Whether a character of UTF-8 goes on with this byte.
bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80u; }

}  // namespace

WeightsFile without_bytes(const WeightsFile& file) {
  WeightsFile summary = file;
  for (auto& [name, tensor] : summary.content.tensors) {
    tensor.bytes = {};
    tensor.owner = nullptr;
    tensor.owns_bytes = false;
  }
  return summary;
}

std::string beginning_of(std::string_view text) {
  constexpr int kLongestRest = 3;  // bytes of a character behind its first
  std::size_t end = std::min(text.size(), kShownBytes);
  for (int i = 0; i < kLongestRest && end < text.size() && goes_on(text[end]); ++i) --end;
  std::string shown(text.substr(0, end));
  std::ranges::replace(shown, '\n', ' ');
  return on_one_line(shown) + (end < text.size() ? "..." : "");
}

std::string format_text(const WeightsFile& file) {
  const char* format = "safetensors";
  if (file.content.format == WeightsFormat::torchscript) format = "TorchScript archive";
  if (file.content.format == WeightsFormat::pickle) format = "pickled archive";
  return file.shards == 0 ? format : fmt::format("{} in {} files", format, file.shards);
}

std::string architecture_text(const LoadedWeights& weights) {
  const auto names = matching_architectures(weights);
  std::vector<std::string> parts = {
      names.empty() ? encoder_sizes(weights.config) : fmt::format("{}", fmt::join(names, " or ")),
      fusion_text(weights)};
  const auto& model = weights.config;
  if (model.vision.temporal_shift) parts.emplace_back("temporal shift");
  if (model.vision.joint_frames > 0)
    parts.push_back(fmt::format("joint over {} frames", model.vision.joint_frames));
  if (model.context.length > 0)
    parts.push_back(fmt::format("learned context of {} vectors", model.context.length));
  if (model.classes > 0) parts.push_back(fmt::format("classifier of {} labels", model.classes));
  return fmt::format("{}", fmt::join(parts, ", "));
}

nlohmann::ordered_json architecture_json(const LoadedWeights& weights) {
  return {{"names", matching_architectures(weights)},
          {"has_fusion", weights.has_fusion},
          {"told", described_json(weights.told)},
          {"config", described_json(weights.config)}};
}

std::string settings_text(const LoadedWeights& weights) {
  const auto mark = [](bool told) { return told ? "" : " (not told by the file: assumed)"; };
  return fmt::format("heads: {}{}\nactivation: {}{}\n", heads_text(weights.config), mark(weights.told.heads),
                     activation_text(weights.config), mark(weights.told.activation));
}

void warn_of_assumed(const LoadedWeights& weights, const Told& told) {
  const auto architectures = matching_architectures(weights);
  const bool heads_known =
      !architectures.empty() && std::ranges::all_of(architectures, [&](const std::string& name) {
        return has_heads_of(name, weights.config);
      });
  std::vector<std::string> assumed, remedies;
  if (!told.activation)
    assumed.push_back(fmt::format("the activation: {} is assumed", activation_text(weights.config)));
  if (!told.heads && !heads_known)
    assumed.push_back(fmt::format("the heads: {} are assumed", heads_text(weights.config)));
  if (assumed.empty()) return;
  if (!told.activation || !architectures.empty()) {
    remedies.push_back(
        fmt::format("run `actionclip convert {} OUT --to native` with --activation NAME or "
                    "--arch NAME, and use OUT",
                    weights.file.string()));
  }
  if (!told.heads && architectures.empty())
    remedies.emplace_back("for the heads take a folder of Hugging Face's or open_clip's, which tells them");
  spdlog::warn(with_file(weights, fmt::format("no file tells {}; if that is wrong, {}",
                                              fmt::join(assumed, ", nor "), fmt::join(remedies, ", and "))));
}

void print_names(const std::string& title, const std::vector<std::string>& names) {
  fmt::print("{}: {}\n", title, names.empty() ? "none" : std::to_string(names.size()));
  for (std::size_t i = 0; i < std::min(names.size(), kShownNames); ++i) fmt::print("  {}\n", names[i]);
  if (names.size() > kShownNames) fmt::print("  and {} more\n", names.size() - kShownNames);
}

std::map<std::string, std::string> native_names(const LoadedWeights& weights, const KeyReport& keys) {
  const std::set<std::string> used(keys.used.begin(), keys.used.end());
  std::map<std::string, std::string> names;
  for (const auto& [native, origins] : weights.origins) {
    for (const auto& origin : origins) {
      if (used.contains(origin)) names.emplace(origin, native);
    }
  }
  return names;
}

nlohmann::ordered_json to_json(const KeyReport& keys) {
  return {{"used", keys.used.size()},
          {"missing", keys.missing},
          {"surplus", keys.surplus},
          {"left_over", keys.left_over}};
}

nlohmann::ordered_json to_json(const PerPart<std::int64_t>& parameters) {
  return {{"image", parameters.image},
          {"text", parameters.text},
          {"fusion", parameters.fusion},
          {"context", parameters.context},
          {"classifier", parameters.classifier}};
}

}  // namespace actionclip
