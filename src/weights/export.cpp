#include "actionclip/weights/export.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "weights/huggingface_names.h"
#include "weights/model_description.h"
#include "weights/native_names.h"
#include "weights/read_architecture.h"
#include "weights/scheme_limits.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHuggingFaceWeights = "model.safetensors";
constexpr const char* kOpenClipWeights = "open_clip_model.safetensors";
constexpr const char* kUnfinished = "actionclip";  // stands before ".tmp." in the name of what is unfinished
constexpr const char* kPublishedPositions = "frame_position_embeddings.weight";

void require_expressible(const LoadedWeights& weights, NameScheme scheme) {
  const auto problems = scheme_problems(weights.config, scheme);
  if (problems.empty()) return;
  throw WeightsError(with_file(
      weights, fmt::format("not a model of {}: {}", scheme_name(scheme), fmt::join(problems, "; "))));
}

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// Throws WeightsError, which lists them all, for tensors that are missing or misshapen.
void require_shapes(const LoadedWeights& weights, const Shapes& expected) {
  std::vector<std::string> findings;
  for (const auto& [name, shape] : expected) {
    const auto found = weights.tensors.find(name);
    if (found == weights.tensors.end()) {
      findings.push_back(fmt::format("missing {} {}", name, shape_string(shape)));
    } else if (const auto own = found->second.sizes().vec(); own != shape) {
      findings.push_back(
          fmt::format("{} is {} in the file, {} in the model", name, shape_string(own), shape_string(shape)));
    }
  }
  if (findings.empty()) return;
  throw WeightsError(
      with_file(weights, fmt::format("the weights do not fit the model: {}", fmt::join(findings, "; "))));
}

// The model's tensors alone, all of them and of its shapes.
StateDict whole_model(const LoadedWeights& weights) {
  const auto expected = expected_shapes(weights.config);
  require_shapes(weights, expected);
  StateDict own;
  for (const auto& [name, shape] : expected) own.emplace(name, weights.tensors.at(name));
  return own;
}

// "float32", for the type of most of the weights.
std::string dtype_word(const StateDict& tensors) {
  switch (tensors.at("token_embedding.weight").scalar_type()) {
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kDouble:
      return "float64";
    default:
      return "float32";
  }
}

// As many rows as the published head has; it reads the first T.
at::Tensor published_positions(const at::Tensor& positions, std::int64_t rows) {
  if (positions.size(0) >= rows) return positions.narrow(0, 0, rows).contiguous();
  auto padded = at::zeros({rows, positions.size(1)}, positions.options());
  padded.narrow(0, 0, positions.size(0)).copy_(positions);
  return padded;
}

// "model_state_dict/..." and "fusion_model_state_dict/module...."
StateDict to_published(const StateDict& tensors, const ActionClipConfig& model) {
  constexpr std::string_view kFusion = "fusion.";
  const auto fusion_name = [](std::string_view name) {
    return fmt::format("fusion_model_state_dict/module.{}", name);
  };
  StateDict renamed;
  for (const auto& [name, tensor] : tensors) {
    const auto block = image_block_of(name);
    if (name.starts_with(kFusion)) {
      renamed.emplace(fusion_name(std::string_view(name).substr(kFusion.size())), tensor);
    } else if (model.vision.temporal_shift && !block.empty()) {
      renamed.emplace(fmt::format("model_state_dict/{}net.{}", block, name.substr(block.size())), tensor);
    } else {
      renamed.emplace("model_state_dict/" + name, tensor);
    }
  }
  if (model.fusion.type == FusionType::meanP) return renamed;
  // Every published head but meanP holds positions, though Transf alone uses them.
  const auto rows = model.text.context_length;
  auto& positions = renamed[fusion_name(kPublishedPositions)];
  positions = positions.defined()
                  ? published_positions(positions, rows)
                  : at::zeros({rows, model.fusion.width}, tensors.at("visual.proj").options());
  return renamed;
}

void describe(const ActionClipConfig& model, NameScheme scheme, const std::string& dtype,
              ExportedWeights& exported) {
  const auto text_of = [](const nlohmann::ordered_json& json) { return json_text(json) + "\n"; };
  if (scheme == NameScheme::huggingface) {
    exported.file_in_folder = kHuggingFaceWeights;
    exported.descriptions = {
        {std::string(kHuggingFaceConfig), text_of(huggingface_config(model, dtype))},
        {std::string(kHuggingFacePreprocessor), text_of(huggingface_preprocessor(model))}};
  } else if (scheme == NameScheme::open_clip) {
    exported.file_in_folder = kOpenClipWeights;
    exported.descriptions = {{std::string(kOpenClipConfig), text_of(open_clip_config(model))}};
  }
}

std::map<std::string, std::string> metadata_of(const LoadedWeights& weights, NameScheme scheme) {
  if (scheme != NameScheme::native) return {{"format", "pt"}};  // transformers asks for it
  auto metadata = to_metadata(weights.config);
  if (weights.scheme == NameScheme::native) metadata.insert(weights.metadata.begin(), weights.metadata.end());
  return metadata;
}

NamedTensorData data_of(const StateDict& tensors) { return from_tensors({tensors.begin(), tensors.end()}); }

void refuse_existing(const fs::path& path) {
  std::error_code absent;
  if (fs::exists(fs::symlink_status(path, absent)))
    throw Error(fmt::format("{} is there already: name another, or give --force", path.string()));
}

void write_files(const ExportedWeights& weights, const fs::path& folder) {
  for (const auto& [name, text] : weights.descriptions) write_file_atomically(folder / name, text);
  write_safetensors(folder / weights.file_in_folder, data_of(weights.tensors), weights.metadata);
}

// Writes the files into a temporary sibling of `place`, from where `settle` puts them where they belong. The
// sibling is gone then, whatever happened.
void write_through(const fs::path& place, const ExportedWeights& weights,
                   const std::function<void(const fs::path& written)>& settle) {
  remove_leftovers_of(place);
  const auto temporary = temporary_sibling(place);
  std::error_code code;
  fs::create_directory(temporary, code);
  if (code) {
    throw Error(fmt::format("cannot make a folder in {}: {}",
                            place.has_parent_path() ? place.parent_path().string() : ".", code.message()));
  }
  const auto remove = [&] {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
  };
  try {
    write_files(weights, temporary);
    settle(temporary);
  } catch (...) {
    remove();
    throw;
  }
  remove();
}

void write_new_folder(const ExportedWeights& weights, const fs::path& folder) {
  write_through(folder, weights, [&](const fs::path& written) { rename_durably(written, folder); });
}

// The tensors last: a folder that had none has them only once all is there that says what they are.
std::vector<std::string> names_of(const ExportedWeights& weights) {
  std::vector<std::string> names;
  for (const auto& [name, text] : weights.descriptions) names.push_back(name);
  names.push_back(weights.file_in_folder);
  return names;
}

void write_into_folder(const ExportedWeights& weights, const fs::path& folder, bool overwrite) {
  const auto names = names_of(weights);
  for (const auto& name : names) require_free(folder / name, overwrite);
  write_through(folder / kUnfinished, weights,
                [&](const fs::path& written) { replace_files(written, folder, names); });
}

// `folder` without a slash at its end, which would make it a folder without a name.
fs::path folder_path(const fs::path& folder) { return folder.has_filename() ? folder : folder.parent_path(); }

void write_folder(const ExportedWeights& weights, const fs::path& folder, bool overwrite) {
  std::error_code absent;
  if (fs::is_directory(folder, absent)) {
    write_into_folder(weights, folder, overwrite);
    return;
  }
  if (fs::exists(folder, absent))
    throw Error(fmt::format("{} is a file: the name of a folder is needed", folder.string()));
  require_parent(folder);
  write_new_folder(weights, folder);
}

}  // namespace

ExportedWeights export_weights(const LoadedWeights& weights, NameScheme scheme) {
  require_expressible(weights, scheme);
  auto tensors = whole_model(weights);
  ExportedWeights exported;
  for (const auto& [name, tensor] : tensors) {
    if (!has_place(name, scheme)) exported.left_out.push_back(name);
  }
  std::erase_if(tensors, [&](const auto& entry) { return !has_place(entry.first, scheme); });
  describe(weights.config, scheme, dtype_word(tensors), exported);
  if (scheme == NameScheme::huggingface) {
    exported.tensors = to_huggingface(tensors);
  } else if (scheme == NameScheme::actionclip) {
    exported.tensors = to_published(tensors, weights.config);
  } else {
    exported.tensors = std::move(tensors);
  }
  exported.metadata = metadata_of(weights, scheme);
  exported.notes = scheme_notes(weights, scheme);
  return exported;
}

void convert_floats(StateDict& tensors, at::ScalarType type) {
  for (auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point() || tensor.scalar_type() == type) continue;
    const auto converted = tensor.to(type);
    if (!at::isfinite(converted).equal(at::isfinite(tensor))) {
      throw WeightsError(fmt::format("{} holds numbers that {} cannot: keep its type, or take another", name,
                                     at::toString(type)));
    }
    tensor = converted;
  }
}

void require_parent(const std::filesystem::path& output) {
  const auto parent = folder_path(output).parent_path();
  std::error_code absent;
  if (parent.empty() || fs::is_directory(parent, absent)) return;
  if (fs::exists(parent, absent))
    throw Error(fmt::format("{}: {} is a file, a folder is needed", output.string(), parent.string()));
  throw Error(fmt::format("{}: there is no folder {}: make it first (mkdir -p), or name another",
                          output.string(), parent.string()));
}

void require_free(const std::filesystem::path& output, bool overwrite) {
  std::error_code absent;
  if (fs::is_directory(output, absent) || !output.has_filename())
    throw Error(fmt::format("{} is a folder: the name of a file is needed", output.string()));
  require_parent(output);
  if (!overwrite) refuse_existing(output);
}

void write_exported(const ExportedWeights& weights, const std::filesystem::path& output, bool overwrite) {
  if (!weights.file_in_folder.empty()) {
    write_folder(weights, folder_path(output), overwrite);
    return;
  }
  require_free(output, overwrite);
  write_safetensors(output, data_of(weights.tensors), weights.metadata);
}

}  // namespace actionclip
