// A list of videos as clips: fetch frames, transform, label. Every random choice is a function of (seed,
// epoch, index).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/config.h"
#include "actionclip/video/frame_source.h"
#include "actionclip/video/image.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

enum class SampleMode {
  train,  // random frames and crop, one view
  test,   // fixed frames and crops, V = clips x crops views
};

struct ClipDatasetOptions {
  std::int64_t frames = 8;     // T
  std::int64_t clips = 1;      // of a test video
  std::int64_t crops = 1;      // of a test clip: 1 or 3
  TransformConfig transforms;  // resolved
  std::uint64_t seed = 0;
  double max_failed_share = 0.01;  // of the list's videos
  bool keep_frame_counts = true;   // in a file beside the list; else in memory only
};

struct FailedVideo {
  std::int64_t index = 0;
  std::string reason;
};

struct Sample {
  at::Tensor clip;         // uint8 [V, T, 3, S, S]; view = clip * crops + crop; V = 1 in training
  std::int64_t index = 0;  // of the entry that `clip` shows: the replacement's, if one took the place
  std::int64_t label_id = -1;
  std::string caption;
  std::string error;  // empty: fine; else (test only) why the video could not be decoded, and `clip` is zeros
  std::vector<FailedVideo> failed;  // videos that were tried and could not be decoded
};

class ClipDataset {
 public:
  // The frames of an entry that the chooser picks for its true number of frames; VideoError if it cannot be
  // decoded. Called from many threads.
  using FetchFrames = std::function<std::vector<Image>(const VideoEntry&, const FrameChooser&)>;

  // Reads the videos through fetch_frames().
  // Throws Error if an option is out of range, or if a caption list is to give more than one frame.
  ClipDataset(VideoList list, ClipDatasetOptions options);
  ClipDataset(VideoList list, ClipDatasetOptions options, FetchFrames fetch);

  std::int64_t size() const { return list_.size(); }
  const VideoList& list() const { return list_; }

  // [V, T, 3, S, S] of a sample.
  std::array<std::int64_t, 5> clip_shape(SampleMode mode) const;

  // The sample at `index`. Writes into `clip` if it is given (uint8, contiguous, of clip_shape()), which
  // saves a copy. Thread-safe. A video that cannot be decoded: in training, another one drawn by (seed,
  // epoch, index) takes its place, and Error if ten such cannot be decoded either; in a test, `error` is set,
  // so that it can be counted as wrong.
  Sample load(std::int64_t epoch, std::int64_t index, SampleMode mode, at::Tensor clip = {}) const;

  // Takes note of the sample's failed videos: logs each video once. Throws Error when more than
  // max_failed_share of the list's videos (by at least one) have failed. Apart from load(), so that it
  // happens in the order of the samples whatever the workers did.
  void count_failures(const Sample& sample) const;

  std::int64_t failed_count() const;

 private:
  void load_training_clip(std::int64_t epoch, std::int64_t index, const VideoEntry& entry,
                          const at::Tensor& clip) const;
  void load_test_clips(const VideoEntry& entry, const at::Tensor& clip) const;
  std::string describe(const FailedVideo& failed) const;

  VideoList list_;
  ClipDatasetOptions options_;
  FetchFrames fetch_;
  mutable std::mutex failures_mutex_;
  mutable std::map<std::int64_t, std::string> failures_;  // index and reason
};

}  // namespace actionclip
