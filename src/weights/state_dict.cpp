#include "actionclip/weights/state_dict.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

#include "weights/agreement.h"
#include "weights/model_description.h"
#include "weights/native_names.h"
#include "weights/read_architecture.h"
#include "weights/tensor_blocks.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr std::string_view kBatchCounter = ".num_batches_tracked";  // of batch normalisation
constexpr double kMmactionFusionEps = 1e-5;  // mmaction2's head is made of CLIP's own blocks

// What the code that wrote the file says of every model.
void apply_scheme(const NativeTensors& native, WeightsFormat format, LoadedWeights& weights) {
  const bool of_openai_code = weights.scheme == NameScheme::actionclip ||
                              weights.scheme == NameScheme::mmaction2 ||
                              (weights.scheme == NameScheme::openai && format == WeightsFormat::torchscript);
  weights.told.activation = of_openai_code;  // QuickGELU
  weights.told.temporal_shift = native.temporal_shift || weights.scheme == NameScheme::actionclip ||
                                weights.scheme == NameScheme::mmaction2;
  weights.config.vision.temporal_shift = native.temporal_shift;
  auto& fusion = weights.config.fusion;
  weights.told.conv1d_layout = weights.scheme == NameScheme::actionclip;
  if (weights.told.conv1d_layout) fusion.conv1d_layout = Conv1dLayout::published;
  if (weights.scheme == NameScheme::mmaction2 && fusion.type == FusionType::Transf) {
    fusion.layer_norm_eps = kMmactionFusionEps;
    fusion.frames = fusion.positions;  // it has one for each
  }
}

void apply_description(const ModelDescription& description, LoadedWeights& weights) {
  if (description.origin.empty()) return;
  auto& config = weights.config;
  require_agreement(description, config);
  config.vision.heads = description.vision.heads.value_or(config.vision.heads);
  config.text.heads = description.text.heads.value_or(config.text.heads);
  config.fusion.heads = config.text.heads;
  config.vision.activation = description.vision_activation.value_or(config.vision.activation);
  config.text.activation = description.text_activation.value_or(config.text.activation);
  config.text.end_token = description.text.end_token.value_or(config.text.end_token);
  config.mean = description.mean.value_or(config.mean);
  config.std = description.std.value_or(config.std);
  weights.told = {.heads = description.vision.heads && description.text.heads,
                  .activation = description.vision_activation && description.text_activation,
                  .end_token = description.text.end_token.has_value(),
                  .input = description.mean && description.std,
                  .temporal_shift = weights.told.temporal_shift,
                  .conv1d_layout = weights.told.conv1d_layout};
}

ActionClipConfig read_model_config(const std::string& text) {
  constexpr std::size_t kLargest = 64u << 10;  // what is parsed takes a hundred times as much
  if (text.size() > kLargest)
    throw WeightsError(fmt::format("metadata {}: larger than {} bytes, refused", kModelConfigKey, kLargest));
  try {
    return read_config<ActionClipConfig>(parse_yaml(text, "metadata"));
  } catch (const ConfigError& problem) {
    constexpr std::size_t kLongest = 1500;
    throw WeightsError(shortened(on_one_line(problem.what()), kLongest));  // it has a line for each finding
  }
}

// Takes the metadata's word in place of what the shapes show, with which it must agree.
void apply_metadata(LoadedWeights& weights) {
  const auto described = read_model_config(weights.metadata.at(std::string(kModelConfigKey)));
  require_agreement(described, weights.config);
  weights.config = described;
  weights.told = Told::everything();
}

// Some of open_clip's models keep this scalar as a list of one.
void flatten_logit_scale(StateDict& tensors) {
  const auto scale = tensors.find("logit_scale");
  if (scale != tensors.end() && scale->second.numel() == 1) scale->second = scale->second.reshape({});
}

// Weights of whole numbers are quantised: nothing without their scales, which no scheme here has.
void require_floats(const LoadedWeights& weights) {
  for (const auto& name : expected_names(weights.tensors, weights.config)) {
    const auto found = weights.tensors.find(name);
    if (found == weights.tensors.end() || found->second.is_floating_point() || name.ends_with(kBatchCounter))
      continue;
    throw WeightsError(
        fmt::format("tensor {} is of type {}: weights must be floating-point numbers, not quantised",
                    quoted_name(name), at::toString(found->second.scalar_type())));
  }
}

// Tensors of the model's own state dict that do not share the prefix of its names, though it has one: what a
// wrapper kept beside the model, or a part that was wrapped otherwise.
std::vector<std::string> names_beside(const LoadedWeights& weights, const std::string& prefix) {
  constexpr std::array<std::string_view, 2> kExpected = {"data_preprocessor.", "position_ids"};
  const auto dictionary = prefix.substr(0, prefix.rfind('/') + 1);  // with the slash; empty without
  std::vector<std::string> names;
  for (const auto& name : weights.left_over) {
    const auto expected = [&](std::string_view part) { return name.find(part) != std::string::npos; };
    const bool of_dictionary =
        name.starts_with(dictionary) && name.find('/', dictionary.size()) == std::string::npos;
    if (of_dictionary && !name.starts_with(prefix) && std::ranges::none_of(kExpected, expected))
      names.push_back(name);
  }
  return names;
}

void warn_of_names_beside(const LoadedWeights& weights, const std::string& prefix) {
  const auto names = names_beside(weights, prefix);
  if (names.empty()) return;
  spdlog::warn("{}: {} tensor(s) are not below '{}' as the model is, and are left out: {}",
               weights.file.string(), names.size(), shortened(prefix), listed(names, ", "));
}

// A run that keeps an average validates by it, `best` too, but a checkpoint's folder stands for the weights
// themselves.
void warn_of_average_beside(const std::filesystem::path& path, const std::filesystem::path& file) {
  std::error_code absent;
  const auto average = path / "ema.safetensors";
  if (path == file || !std::filesystem::exists(average, absent)) return;
  spdlog::warn(
      "{}: {} is read, but the run's validation used the average of the weights: to use that, give {}",
      path.string(), file.filename().string(), average.string());
}

LoadedWeights read_weights(WeightsFile file, std::int64_t frames) {
  const Naming naming = find_naming(file.content);
  const auto format = file.content.format;
  LoadedWeights weights;
  weights.scheme = naming.scheme;
  weights.metadata = file.content.metadata;
  auto native = to_native(std::move(file.content), naming);
  flatten_logit_scale(native.tensors);
  weights.described = weights.metadata.contains(std::string(kModelConfigKey));
  weights.config = read_architecture(native.tensors, frames);
  apply_scheme(native, format, weights);
  if (naming.scheme == NameScheme::openai && file.description.origin == kOpenClipConfig)
    weights.scheme = NameScheme::open_clip;
  apply_description(file.description, weights);
  if (weights.described) apply_metadata(weights);
  require_buildable(weights.config);
  weights.has_fusion = weights.described || weights.scheme == NameScheme::actionclip ||
                       has_names_below(native.tensors, "fusion.");
  weights.tensors = std::move(native.tensors);
  weights.origins = std::move(native.origins);
  weights.left_over = std::move(native.left_over);
  require_floats(weights);
  return weights;
}

}  // namespace

std::map<std::string, std::string> to_metadata(const ActionClipConfig& config) {
  return {{std::string(kModelConfigKey), write_config(config)}};
}

LoadedWeights to_weights(WeightsFile file, std::int64_t frames) {
  try {
    return read_weights(std::move(file), frames);
  } catch (const c10::Error& problem) {  // of tensors that libtorch cannot have; the other lines are its own
    const std::string_view message = problem.what_without_backtrace();
    constexpr std::size_t kLongest = 500;
    throw WeightsError(on_one_line(shortened(message.substr(0, message.find('\n')), kLongest)));
  }
}

LoadedWeights to_weights(TensorFile file, std::int64_t frames) {
  return to_weights(WeightsFile{.path = {}, .shards = 0, .content = std::move(file), .description = {}},
                    frames);
}

LoadedWeights load_weights(const std::filesystem::path& path, std::int64_t frames) {
  WeightsFile file = open_weights(path);
  const auto file_path = file.path;
  try {
    const auto prefix = find_naming(file.content).prefix;
    auto weights = to_weights(std::move(file), frames);
    weights.file = file_path;
    warn_of_names_beside(weights, prefix);
    warn_of_average_beside(path, file_path);
    return weights;
  } catch (const Error& problem) {
    throw WeightsError(fmt::format("{}: {}", file_path.string(), problem.what()));
  }
}

std::string with_file(const LoadedWeights& weights, const std::string& message) {
  return weights.file.empty() ? message : fmt::format("{}: {}", weights.file.string(), message);
}

}  // namespace actionclip
