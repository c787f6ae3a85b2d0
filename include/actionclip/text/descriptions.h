// Descriptions: sentences that say what a label means, and fill the templates in its place.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"

namespace actionclip {

// The sentences of each label, by label_id; each label has one at least.
using Descriptions = std::vector<std::vector<std::string>>;

// Reads a file of   descriptions: {archery: [a person draws a bow, ...], bowling: a ball rolls at pins, ...}
// and warns of names in it that are no labels. Throws ConfigError (file:line:column) on a file that is no
// such file, Error that names labels without a description.
Descriptions read_descriptions(const std::filesystem::path& file, const LabelSet& labels);

}  // namespace actionclip
