// The files that show explanations to people: a folder for each video.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/eval/explain.h"

namespace actionclip {

// A folder name for each of `videos`: the file's name without its ending, or the folder's; with -2, -3 and so
// on where another video has that.
std::vector<std::string> explanation_names(const std::vector<std::string>& videos);

// A video's folder gets explanation.json, similarity.csv, similarity.svg (explanation.h, similarity_plot.h),
// attention.png (what the model saw, and the attention over it, frame by frame), attention.mp4 (the latter as
// a video, in real time as far as whole frames a second allow; 2 a second where the video has no times) and
// attention/frame_0000.png, ... (the same as pictures). It appears whole or not at all, and takes the place
// of an earlier explanation.
class ExplanationFolders {
 public:
  // Makes `root`. Throws Error if it cannot, or if a video's folder is there and holds anything but an
  // explanation.
  ExplanationFolders(std::filesystem::path root, const std::vector<std::string>& videos);

  // Of video number `video`.
  std::filesystem::path folder(std::size_t video) const { return root_ / names_[video]; }

  // Throws Error if the files cannot be written.
  void write(std::size_t video, const ExplainedPrediction& explained) const;

  // For a video that failed: an earlier explanation of it is removed.
  void remove(std::size_t video) const;

 private:
  std::filesystem::path root_;
  std::vector<std::string> names_;
};

}  // namespace actionclip
