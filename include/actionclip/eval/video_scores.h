// The scores of a split's videos, one row a video: what every figure is computed from, kept so that figures
// can be computed again, compared and fused without running a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace actionclip {

struct ScoredVideo {
  std::string path;                     // as the list gives it, below its root
  std::vector<std::int32_t> label_ids;  // one; several, or none, of a video of a multi-label list
  std::string failure;                  // why it has no scores (its row is NaN); empty if it has
};

struct VideoScores {
  std::vector<std::string> labels;   // names of the C classes
  std::vector<ScoredVideo> videos;   // N, in the list's order
  std::vector<float> probabilities;  // [N, C], of ClassScores
  bool multi_label = false;          // of a list whose videos can have several labels

  // Where they come from: "weights", "weights_sha256", "list", "list_sha256", "views", "average"; and
  // of a protocol its text, "protocol", "protocol_name", "protocol_list_sha256", "protocol_manifest_sha256",
  // "protocol_matches" ("true" or "false").
  std::map<std::string, std::string> origin;

  std::span<const float> row(std::size_t video) const {
    return std::span<const float>(probabilities).subspan(video * labels.size(), labels.size());
  }
};

// Writes `scores` as a safetensors file: "probabilities" F32 [N, C]; "label_counts" I32 [N] and "label_ids"
// I32, those of all videos in turn; "paths" and "failures" U8, N texts that end in a zero byte; in the
// metadata "actionclip.labels" and "actionclip.origin" as JSON, "actionclip.multi_label" and the version of
// the layout, "actionclip.scores". Throws Error if the file cannot be written, std::invalid_argument for
// scores that load_scores() would refuse.
void save_scores(const VideoScores& scores, const std::filesystem::path& path);

// Reads what save_scores() wrote. Throws WeightsError, which names the file and what does not fit, for any
// other file: no safetensors, tensors that are missing, surplus or misshapen, label ids out of range, a video
// without a label or with several unless the list is a multi-label one, a probability that is not in 0..1 (or
// above it by rounding), or a row that is NaN without a failure, or the other way round.
VideoScores load_scores(const std::filesystem::path& path);

}  // namespace actionclip
