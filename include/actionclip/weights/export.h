// Weights for other programs: the tensors under the names of a scheme, and the files that describe the model.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <c10/core/ScalarType.h>

#include "actionclip/weights/name_scheme.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

struct ExportedWeights {
  StateDict tensors;                            // under the names of the scheme
  std::map<std::string, std::string> metadata;  // of the safetensors file
  // Where the scheme's models lie in a folder: the name of the tensors' file there; empty: a single file.
  std::string file_in_folder;
  std::map<std::string, std::string> descriptions;  // the other files of the folder
  std::vector<std::string> left_out;  // native names of tensors that the scheme has no place for
  std::vector<std::string> notes;     // where the other program computes otherwise, or needs what is not here
};

// native       one file; its metadata tell the whole configuration (those of a native file are kept)
// openai       one file
// open_clip    a folder: open_clip_model.safetensors, open_clip_config.json
// huggingface  a folder: model.safetensors, config.json, preprocessor_config.json
// actionclip   one file, its names those of the published checkpoints' nested dictionaries, joined by '/':
//              `model_state_dict/visual.proj`, `fusion_model_state_dict/module.shift.weight`
// The encoders are all there, or the scheme refuses the model: throws WeightsError if its programs have no
// such architecture, if tensors of the model are missing or misshapen (it lists them), or for mmaction2,
// which is only read. Tensors that are none of the model's are not written.
ExportedWeights export_weights(const LoadedWeights& weights, NameScheme scheme);

// Converts floating tensors. Throws WeightsError if a number becomes infinite that was not.
void convert_floats(StateDict& tensors, at::ScalarType type);

// For a file or folder that is to be written: throws Error if the folder that it is to lie in is not there.
// No such folder is made: what fails later would leave it behind.
void require_parent(const std::filesystem::path& output);

// For a file that is to be written: throws Error if `output` is a folder, has no folder to lie in, or is
// there already and may not be overwritten.
void require_free(const std::filesystem::path& output, bool overwrite);

// Writes them to the file or folder `output`, which changes whole or not at all: in a folder that is there
// all files are written before the first takes its place, the tensors last. Throws Error if a file is there
// already, unless it may be overwritten, and as require_parent() does.
void write_exported(const ExportedWeights& weights, const std::filesystem::path& output, bool overwrite);

}  // namespace actionclip
