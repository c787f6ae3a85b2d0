// Weights as they lie on the disk: one file, or a folder with the tensors in one file or several ("shards")
// and a JSON file that describes their model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "actionclip/model/config.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// What the files beside the tensors say of the model: Hugging Face's config.json and
// preprocessor_config.json, open_clip's open_clip_config.json. Sizes are said to be compared with the
// tensors.
struct ModelDescription {
  std::string origin;  // the name of the file; empty: there is none
  VisionOverrides vision;
  TextOverrides text;
  std::optional<std::int64_t> embed_dim;
  std::optional<Activation> vision_activation, text_activation;
  std::optional<std::vector<double>> mean, std;
};

struct WeightsFile {
  std::filesystem::path path;  // of the tensors: a file, or the index of the shards
  std::size_t shards = 0;      // 0: one file
  TensorFile content;
  ModelDescription description;
};

// Opens a weights file or the folder of a checkpoint (its model.safetensors), of Hugging Face's CLIP
// (config.json; model.safetensors or pytorch_model.bin, whole or sharded by an index), or of open_clip
// (open_clip_config.json; open_clip_model.safetensors or open_clip_pytorch_model.bin). What describes a file
// that is named itself is looked for beside it. Throws WeightsError for a folder without weights, a run
// folder, damaged files, an index whose shards are missing or hold other tensors, and a description of a
// model that is none of this program's.
WeightsFile open_weights(const std::filesystem::path& path);

// The same, but where the description is refused, the tensors come without one and `problem` says why.
WeightsFile open_weights(const std::filesystem::path& path, std::string& problem);

}  // namespace actionclip
