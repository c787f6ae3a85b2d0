// Reading and writing the files that describe a model beside its weights.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actionclip/model/config.h"
#include "actionclip/weights/weights_file.h"

namespace actionclip {

inline constexpr std::string_view kHuggingFaceConfig = "config.json";
inline constexpr std::string_view kHuggingFacePreprocessor = "preprocessor_config.json";
inline constexpr std::string_view kOpenClipConfig = "open_clip_config.json";

// transformers' end token of the models that were made before it knew the true one: the largest id is the
// end.
inline constexpr std::int64_t kHuggingFaceLegacyEnd = 2;

// LayerNorm's epsilon in the encoders.
inline constexpr double kEncoderLayerNormEps = 1e-5;

// Both read the files of a folder, the preprocessor's where there is one. Throw WeightsError for files that
// are no JSON, of other kinds of models, and for settings that the encoders here do not have.
ModelDescription read_huggingface_description(const std::filesystem::path& folder);
ModelDescription read_open_clip_description(const std::filesystem::path& folder);

// The same files for a model that huggingface_problems() or open_clip_problems() (export.cpp) finds nothing
// wrong with. `dtype`: what the weights are stored as, "float32".
nlohmann::ordered_json huggingface_config(const ActionClipConfig& model, std::string_view dtype);
nlohmann::ordered_json huggingface_preprocessor(const ActionClipConfig& model);
nlohmann::ordered_json open_clip_config(const ActionClipConfig& model);

}  // namespace actionclip
