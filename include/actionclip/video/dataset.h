// A list of videos as clips: fetch frames, augment and cut them, label. Every random choice is a function of
// (seed, epoch, index, repeat).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/core/random.h"
#include "actionclip/video/augmentation.h"
#include "actionclip/video/config.h"
#include "actionclip/video/flip_labels.h"
#include "actionclip/video/frame_source.h"
#include "actionclip/video/image.h"
#include "actionclip/video/load_seconds.h"
#include "actionclip/video/photometric.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

enum class SampleMode {
  train,  // random frames and crop, one view
  test,   // fixed frames and crops, V = clips x crops views
};

struct ClipDatasetOptions {
  std::int64_t frames = 8;   // T
  std::int64_t clips = 1;    // of a test video
  std::int64_t crops = 1;    // of a test clip: 1, 3, 5 or 10
  std::int64_t classes = 0;  // C, of the labels; 0: captions stand for them
  SamplingConfig sampling;
  TransformConfig transforms;  // resolved
  InputStatistics input;       // of the model that sees the clips
  FlipLabels flip_labels;      // what a mirrored training clip is a clip of
  std::uint64_t seed = 0;
  double max_failed_share = 0.01;  // of the list's videos
  double video_seconds = 60;       // that decoding one may take; 0: no limit
  bool keep_frame_counts = true;   // in a file beside the list; else in memory only
};

struct FailedVideo {
  std::int64_t index = 0;
  std::string reason;
};

struct Sample {
  at::Tensor clip;         // uint8 [V, T, 3, S, S]; view = clip * crops + crop; V = 1 in training
  std::int64_t index = 0;  // of the entry that `clip` shows: the replacement's, if one took the place
  // What the clip shows; of a mirrored clip, the mirrored labels. Empty: captions.
  std::vector<std::int32_t> label_ids;
  // Whose text stands for the clip: where there are several labels, one that is drawn in training, the first
  // in a test. -1: captions.
  std::int64_t label_id = -1;
  std::string caption;
  std::string error;  // empty: fine; else (test only) why the video could not be decoded, and `clip` is zeros
  std::vector<FailedVideo> failed;  // videos that were tried and could not be decoded
  LoadSeconds load;                 // of the calling thread
};

class ClipDataset {
 public:
  // The frames of an entry that the chooser picks for its true number of frames; VideoError if it cannot be
  // decoded. Called from many threads.
  using FetchFrames = std::function<ChosenFrames(const VideoEntry&, const FrameChooser&)>;

  // `fetch`: where the frames come from; none: fetch_frames().
  // Throws Error if an option is out of range, or if a caption list is to give more than one frame.
  ClipDataset(VideoList list, ClipDatasetOptions options, const FetchFrames& fetch = nullptr);

  std::int64_t size() const { return list_.size(); }
  const VideoList& list() const { return list_; }

  // C where videos of the list have several labels, so that a batch needs targets; 0 where one label says it
  // all.
  std::int64_t target_classes() const { return target_classes_; }

  // For a model whose statistics are known only after the list was read. Not while clips are loaded.
  void set_input(const InputStatistics& input) { options_.input = input; }

  // How many clips of a video stand in a batch: data.sampling.repeats, in a test 1.
  std::int64_t repeats(SampleMode mode) const {
    return mode == SampleMode::train ? options_.sampling.repeats : 1;
  }

  // [V, T, 3, S, S] of a sample.
  std::array<std::int64_t, 5> clip_shape(SampleMode mode) const;

  // The sample at `index`; by repeated augmentation, its clip number `repeat`, drawn anew. Writes into `clip`
  // if it is given (uint8, contiguous, of clip_shape()), which saves a copy. Thread-safe, and single-threaded
  // within a call. A video that cannot be decoded: in training, another one drawn by (seed, epoch, index)
  // takes its place, in all of its repeats, and Error if ten such cannot be decoded either; in a test,
  // `error` is set, so that it can be counted as wrong.
  Sample load(std::int64_t epoch, std::int64_t index, SampleMode mode, at::Tensor clip = {},
              std::int64_t repeat = 0) const;

  // Takes note of the sample's failed videos: logs each video once. Throws Error when more than
  // max_failed_share of the list's videos (by at least one) have failed. Apart from load(), so that it
  // happens in the order of the samples whatever the workers did.
  void count_failures(const Sample& sample) const;

  std::int64_t failed_count() const;

 private:
  // Of a training clip: its place in an epoch, also for a replacement, whose clip thus differs from the one
  // it gives at its own place.
  struct Place {
    std::int64_t epoch;
    std::int64_t index;
    std::int64_t repeat;
  };

  RandomStream random(RandomPurpose purpose, const Place& place) const;
  void load_training_clip(const Place& place, const VideoEntry& entry, Sample& sample) const;
  bool cut_training_clip(const Place& place, const VideoEntry& entry, const std::vector<Image>& images,
                         const at::Tensor& frames) const;
  TestView test_view(std::int64_t crops) const;
  bool takes_test_crop() const;
  void load_test_clips(const VideoEntry& entry, Sample& sample) const;
  std::string describe(const FailedVideo& failed) const;

  VideoList list_;
  ClipDatasetOptions options_;
  // The last argument: as FrameSource::set_view().
  std::function<ChosenFrames(const VideoEntry&, const FrameChooser&, const TestView&)> fetch_;
  std::int64_t target_classes_ = 0;
  mutable std::mutex failures_mutex_;
  mutable std::map<std::int64_t, std::string> failures_;  // index and reason
};

}  // namespace actionclip
