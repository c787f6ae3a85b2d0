// Ranked labels for single videos: what `actionclip predict` prints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/classifier.h"

namespace actionclip {

struct RankedLabel {
  std::string label;
  double probability = 0;  // mean over templates of softmax(100 * cosine)
  double similarity = 0;   // mean over templates of the cosine; a linear classifier's logit
};

struct Prediction {
  std::string video;                     // as given
  std::vector<RankedLabel> predictions;  // all labels, most probable first; empty if it failed
  std::string error;                     // why it failed
};

// What a test shows of one video: one centre view of T frames.
struct TestClip {
  at::Tensor frames;                  // uint8 [T, 3, S, S]
  std::vector<std::int64_t> indices;  // of the frames in the video, from 0
  std::vector<double> seconds;        // from the video's first frame; empty where it has no times
  std::int64_t frame_count = 0;       // of the video
};

// T test frames of a video file, image or frame folder, short side to `test_resize`, centre crop. Throws
// VideoError if it cannot be decoded.
TestClip load_test_clip(const std::filesystem::path& video, const ActionClipConfig& model,
                        std::int64_t test_resize);

// The prediction of `video` by `scores` of B = 1 video; scores that are not finite give `error`.
Prediction rank_labels(const std::filesystem::path& video, const std::vector<std::string>& labels,
                       const ClassScores& scores);

// Classifies one video file, image or frame folder by its T test frames, as evaluate() does with one view:
// short side to `test_resize`, centre crop. A video that cannot be decoded, or whose scores are not finite,
// gives `error`.
Prediction predict(Classifier& classifier, const std::vector<std::string>& labels,
                   const ActionClipConfig& model, std::int64_t test_resize,
                   const std::filesystem::path& video);

nlohmann::ordered_json to_json(const Prediction& prediction);

}  // namespace actionclip
