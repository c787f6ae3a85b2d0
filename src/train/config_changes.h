// What two YAML configurations say differently: for a run that is gone on with under other settings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

// "train.lr: 0.001 -> 0.5" for each value that differs; "nothing" stands for a value that one of them lacks.
// Throws ConfigError if one is not valid YAML.
std::vector<std::string> config_changes(std::string_view before, std::string_view after);

}  // namespace actionclip
