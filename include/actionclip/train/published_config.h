// YAML files of the method's published Python code, as settings of ours.
#pragma once

#include <filesystem>
#include <string>

namespace actionclip {

// YAML that load_experiment() reads: the settings with the key of the published file behind each, a comment
// wherever a run will differ from one of the published code, and at the end the keys that are not used, and
// those that the published code does not know either. What the file does not give is left out. Paths stay as
// they are written. Throws Error if there is no such file, ConfigError with file:line:column for what is no
// YAML, a value of the wrong type or out of range, a model, modality or setting that is none of ours, and
// without network.arch.
std::string map_published_config(const std::filesystem::path& file);

// The same from text; `name` stands for the file.
std::string map_published_text(const std::string& text, const std::string& name);

}  // namespace actionclip
