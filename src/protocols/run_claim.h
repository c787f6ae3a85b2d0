// Which run a folder belongs to, and the score that an earlier call left in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actionclip/train/experiment.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// All that the scores of a protocol's runs depend on, but for the pictures in the videos, as JSON: the
// experiment, the content of the files that it names, and `more` of the protocol's own. They do not depend on
// how batches are prepared and checkpoints kept, nor on the seed and the validation, which each run replaces.
std::string run_identity(Experiment experiment, const VideoList& train, const VideoList& test,
                         const nlohmann::ordered_json& more);

// Keeps what a run of the same identity left in `folder`; anything else would be resumed or reported as if
// these settings had given it, so what another run left is put aside (renamed to FOLDER.before-N). Throws
// Error if no run of a `protocol` ("few-shot") made the folder, or if a run that is under way would be put
// aside.
void claim_folder(const std::filesystem::path& folder, const std::string& identity,
                  std::string_view protocol);

// What `file` holds, which an earlier call wrote; none if there is no such file, or it is damaged.
std::optional<nlohmann::json> finished_result(const std::filesystem::path& file);

}  // namespace actionclip
