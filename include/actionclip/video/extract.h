// Videos as folders of JPEG frames, which are read faster than video files. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/video/video_list.h"

namespace actionclip {

struct ExtractOptions {
  std::int64_t short_side = 0;  // frames are resized to it as Pillow's bicubic does; 0: kept as they are
  int quality = 95;             // of the JPEG files, 1 to 100
  int workers = 2;              // threads; 0: this one
  double seconds = 0;           // that a video may take; 0: any number

  // Throws Error naming the first option that cannot be used.
  void check() const;
};

struct FailedExtraction {
  std::filesystem::path video;
  std::string reason;
};

struct ExtractReport {
  std::int64_t videos = 0;   // that have their folder now; each counts once
  std::int64_t skipped = 0;  // of these, those that had it before
  std::int64_t frames = 0;
  std::vector<FailedExtraction> failed;
};

// Writes the frames of each video of the list into a folder of its own below `output`, which lies there as
// the video lies below the list's root, without its extension: img_00001.jpg and so on. A folder appears
// whole or not at all; one that is there and has all its frames (as many as `output`/frame_counts.csv says)
// is left as it is, one that lost some is made anew. Then writes the list `output`/<name of list>.txt in the
// format `frames` (several labels a video: .csv in the format `table`), without the videos that failed; of
// two that would have one folder (x.mp4 and x.avi), the second fails. Throws UsageError if `output` is the
// list's root or lies among its videos, or the new list would overwrite it; Error if a path leads out of the
// root, the list names parts of videos (their times are not kept), or a file cannot be written; if frames
// were extracted into `output` with other options before.
ExtractReport extract_frames(const VideoList& list, const ExtractOptions& options,
                             const std::filesystem::path& output);

}  // namespace actionclip
