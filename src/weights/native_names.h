// From the names of a weights file to native ones.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/weights/name_scheme.h"
#include "actionclip/weights/state_dict.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// Of the metadata of native files: the model's configuration.
inline constexpr std::string_view kModelConfigKey = "actionclip.model";

// Where the weights of the model are in a file.
struct Naming {
  NameScheme scheme = NameScheme::native;
  std::string prefix;  // of the encoders' names: "state_dict/module.", "model_state_dict/"; often empty
};

// Tells the scheme by the names, and what stands before all names of the model: a dictionary around the state
// dict, or the module that held the model (`module.` of DataParallel, `model.` of Lightning). Throws
// WeightsError for names of no known scheme, for those of two models, and for more tensors than a model has.
Naming find_naming(const TensorFile& file);

// The tensors of a file under native names.
struct NativeTensors {
  StateDict tensors;
  std::map<std::string, std::vector<std::string>> origins;  // the entries of the file that each was made of
  std::vector<std::string> left_over;                       // entries that are no weights of the model
  bool temporal_shift = false;                              // the names are those of a model with it
};

// Throws WeightsError for two tensors of one native name, and for query, key and value of different shapes.
NativeTensors to_native(TensorFile file, const Naming& naming);

// `text` without `prefix`, if it begins with it.
std::string without_prefix(const std::string& text, std::string_view prefix);

// Of an image block, for a name with one: "visual.transformer.resblocks.3." (in CLIP's names); else empty.
std::string image_block_of(const std::string& name);

}  // namespace actionclip
