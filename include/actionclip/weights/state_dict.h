// Weights as the model wants them: named tensors under native names, whatever file they came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <boost/describe.hpp>

#include "actionclip/model/config.h"
#include "actionclip/weights/name_scheme.h"
#include "actionclip/weights/tensor_file.h"
#include "actionclip/weights/weights_file.h"

namespace actionclip {

using StateDict = std::map<std::string, at::Tensor>;

// What of a model's configuration a file says that no shape shows; the rest is as usual for CLIP.
struct Told {
  bool heads = false;           // of both encoders
  bool activation = false;      // of both encoders
  bool end_token = false;       // of texts
  bool input = false;           // mean and std
  bool temporal_shift = false;  // whether there is one
  bool conv1d_layout = false;   // of that fusion head

  static Told everything() { return {true, true, true, true, true, true}; }
};
BOOST_DESCRIBE_STRUCT(Told, (), (heads, activation, end_token, input, temporal_shift, conv1d_layout))

struct LoadedWeights {
  std::filesystem::path file;  // that they were read from; empty: none
  StateDict tensors;           // CPU
  NameScheme scheme = NameScheme::native;
  ActionClipConfig config;  // from the metadata of a native file, else read from the shapes
  bool described = false;   // the metadata tell all of `config`: also what shapes cannot
  Told told;
  bool has_fusion = false;  // the file holds a fusion head (or says that it needs none)
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::vector<std::string>> origins;  // the entries of the file that each was made of
  std::vector<std::string> left_over;                       // entries of the file that are no weights
};

// The weights in `file`. `frames`: T where it does not tell. Entries that are no weights of the model (sizes,
// counters, an optimizer's state) are left over. Throws WeightsError for names of no known scheme, two models
// in one file, two tensors for one name, tensors missing or misshapen that sizes are read from (it lists
// them, and the other tensors that are missing or surplus, up to twenty), or sizes that no model has or that
// the tensors contradict.
LoadedWeights to_weights(TensorFile file, std::int64_t frames = 8);

// The same, with what lies beside the file.
LoadedWeights to_weights(WeightsFile file, std::int64_t frames = 8);

// Reads what open_weights() opens. Throws WeightsError that names the path, for a damaged file or a run
// folder too. Warns of tensors that lie beside the model's in its state dict, but not in the module that
// holds it, and of the average (ema.safetensors) in the folder of a checkpoint, which is not what is read.
LoadedWeights load_weights(const std::filesystem::path& path, std::int64_t frames = 8);

// A message about the weights, behind their file where they have one: "FILE: message".
std::string with_file(const LoadedWeights& weights, const std::string& message);

// Metadata of a native weights file, which lets `load_weights` rebuild the model without its experiment.
std::map<std::string, std::string> to_metadata(const ActionClipConfig& config);

}  // namespace actionclip
