// The files of a prepared data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/video/config.h"
#include "actionclip/video/prepare.h"

#include "video/prepare/resolve.h"

namespace actionclip {

// The list in `format`, which is `video` or `table`.
std::string list_text(const FoundList& list, ListFormat format);

// Writes labels.csv, the lists that hold a video, missing.txt and summary.json.
void write_prepared(const std::filesystem::path& folder, const PrepareReport& report, const LabelSet& labels,
                    const std::vector<FoundList>& lists, ListFormat format);

// What write_prepared() had written into `folder`. Throws Error if it is damaged.
PrepareReport read_summary(const std::filesystem::path& folder);

}  // namespace actionclip
