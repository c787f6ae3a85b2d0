// What the commands say of a weights file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "actionclip/weights/key_report.h"
#include "actionclip/weights/state_dict.h"
#include "actionclip/weights/weights_file.h"

namespace actionclip {

// `file` without the bytes of its tensors, which it does not keep in memory: as much as a report needs.
WeightsFile without_bytes(const WeightsFile& file);

// What a file says, as it may be printed on a terminal: on one line, what controls a terminal escaped, and
// its first 100 bytes alone, "..." where there are more.
std::string beginning_of(std::string_view text);

// "safetensors", "TorchScript archive", "pickled archive"; "in 3 files".
std::string format_text(const WeightsFile& file);

// "ViT-B/32", or the sizes where no known architecture has them; then the fusion head and what else there is.
std::string architecture_text(const LoadedWeights& weights);

// The same as JSON: the names and the whole configuration.
nlohmann::ordered_json architecture_json(const LoadedWeights& weights);

// The heads and the activation of the encoders, a line each: what no tensor shows. "(not told by the file:
// assumed)" behind what is only as usual for CLIP.
std::string settings_text(const LoadedWeights& weights);

// Logs one warning where the model has heads or an activation that are only as usual for CLIP: what is
// assumed, and how it is told. `told`: by the file or by what it is used with. Heads that every known
// architecture of the model's sizes has are no assumption.
void warn_of_assumed(const LoadedWeights& weights, const Told& told);

// "left over (3): a, b, c": up to 20 names, each on a line of its own.
void print_names(const std::string& title, const std::vector<std::string>& names);

// Native names by those in the file, of the tensors that the model takes; several may be parts of one.
std::map<std::string, std::string> native_names(const LoadedWeights& weights, const KeyReport& keys);

nlohmann::ordered_json to_json(const KeyReport& keys);
nlohmann::ordered_json to_json(const PerPart<std::int64_t>& parameters);

}  // namespace actionclip
