// Weights as the model wants them: named tensors under native names, whatever file they came from.
//   native: CLIP's names for the towers, the fusion head's below `fusion.`
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/model/config.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

using StateDict = std::map<std::string, at::Tensor>;

// How the tensors of a file are named.
enum class NameScheme {
  native,      // this program's
  openai,      // CLIP's own (its TorchScript archives; state dicts of it, `module.` prefixes included)
  actionclip,  // published checkpoints: model_state_dict + fusion_model_state_dict with `module.` keys
};

struct LoadedWeights {
  std::filesystem::path file;  // that they were read from; empty: none
  StateDict tensors;           // CPU
  NameScheme scheme = NameScheme::native;
  ActionClipConfig config;  // from the metadata of a native file, else read from the shapes
  bool described = false;   // the metadata tell `config`: also what shapes cannot (heads, frames, mean, std)
  bool has_fusion = false;  // the file holds a fusion head (or says that it needs none)
  std::map<std::string, std::string> metadata;
};

// The weights in `file`. `frames`: T where it does not tell. Entries that are no weights of the model (sizes,
// counters) are left out. Throws WeightsError for names of no known scheme, two tensors for one name, tensors
// missing or misshapen that sizes are read from (it lists them all, and all other tensors that are missing or
// surplus), or sizes that no model has or that the tensors contradict.
LoadedWeights to_weights(const TensorFile& file, std::int64_t frames = 8);

// Reads a weights file, or a checkpoint folder (its model.safetensors). Throws WeightsError that names the
// path, for a damaged file or a run folder too.
LoadedWeights load_weights(const std::filesystem::path& path, std::int64_t frames = 8);

// A message about the weights, behind their file where they have one: "FILE: message".
std::string with_file(const LoadedWeights& weights, const std::string& message);

// Metadata of a native weights file, which lets `load_weights` rebuild the model without its experiment.
std::map<std::string, std::string> to_metadata(const ActionClipConfig& config);

}  // namespace actionclip
