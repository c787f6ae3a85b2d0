// Settings of the data side: the `data:` section of an experiment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/types.h"

namespace actionclip {

// What a list is, and how its lines name videos and labels (video_list.h has each in full).
enum class ListFormat {
  video,     // lines PATH LABEL_ID: video files, as mmaction2's lists
  frames,    // lines PATH NUM_FRAMES LABEL_ID: folders of JPEG or PNG frames, as the published lists
  table,     // CSV with the columns path, label and optionally start, end (seconds), frames
  captions,  // CSV `path,caption`: an image or video and a sentence (pre-training)
  kinetics,  // CSV label,youtube_id,time_start,time_end,split
  something_something,  // JSON of Something-Something v2: id and template
  charades,             // CSV of Charades: several labels a video
  class_folders,        // a folder with a folder of videos for each class
};
BOOST_DESCRIBE_ENUM(ListFormat, video, frames, table, captions, kinetics, something_something, charades,
                    class_folders)

struct DatasetConfig {
  InputPath list;  // a file; class_folders: a folder; empty: this split does not exist
  InputPath root;  // folder that the list's paths are relative to; empty: the list's own folder
  ListFormat format = ListFormat::video;
  std::string frame_pattern = "img_{:05d}.jpg";  // names in a frame folder
  std::int64_t index_bias = 1;                   // number of the first frame
  std::string protocol;  // benchmark of the list, as --protocol takes it, files by whole paths; empty: none

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(DatasetConfig, (), (list, root, format, frame_pattern, index_bias, protocol))

// Which frames of a video, or of the part of it that a list names, a clip shows (sampler.h).
enum class FrameSampling {
  segment,  // one frame of each of T equal segments (TSN), as the method: drawn in training, the middle in a
            // test
  dense,    // T frames, `stride` apart: the start drawn in training, evenly spread clips in a test
  uniform,  // T frames at equal distances from the first to the last, nothing drawn
};
BOOST_DESCRIBE_ENUM(FrameSampling, segment, dense, uniform)

struct SamplingConfig {
  FrameSampling strategy = FrameSampling::segment;
  std::int64_t stride = 8;  // dense: from one frame of a clip to the next
  // Repeated augmentation (Hoffer et al. 2020): so many clips of a training video, each drawn anew, stand in
  // one batch, which has so many times fewer videos, and an epoch so many times more batches.
  std::int64_t repeats = 1;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(SamplingConfig, (), (strategy, stride, repeats))

// RandAugment (Cubuk et al. 2020) with torchvision's operations and its 31 steps of magnitude.
struct RandAugmentConfig {
  std::int64_t operations = 0;  // applied one after the other; 0: off
  std::int64_t magnitude = 9;   // of 0..30
  bool per_frame = false;       // drawn for each frame, as the published code does, else once for a clip

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(RandAugmentConfig, (), (operations, magnitude, per_frame))

// Brightness, contrast, saturation and hue in random order, each by a factor (hue: shift) drawn from
// [1 - value, 1 + value] ([-hue, hue]).
struct ColorJitterConfig {
  double probability = 0;
  double brightness = 0.4;
  double contrast = 0.4;
  double saturation = 0.2;
  double hue = 0.1;  // of the circle, at most 0.5
  bool per_frame = false;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ColorJitterConfig, (), (probability, brightness, contrast, saturation, hue, per_frame))

struct BlurConfig {  // Gaussian
  double probability = 0;
  std::vector<double> sigma = {0.1, 2.0};  // pixels, drawn between the two

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(BlurConfig, (), (probability, sigma))

// One rectangle of all frames of a clip is painted over (Zhong et al. 2020).
struct ErasingConfig {
  double probability = 0;
  std::vector<double> area = {0.02, 0.33};  // share of the frame, drawn between the two
  std::vector<double> aspect = {0.3, 3.3};  // width / height, drawn between the two on a logarithmic scale
  bool noise = false;                       // each pixel drawn, else the mean of model.mean

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ErasingConfig, (), (probability, area, aspect, noise))

enum class CropKind {
  multi_scale,     // one of a few sizes at one of 13 places (TSN), as the method
  random_resized,  // any area and aspect within bounds, anywhere (Inception)
};
BOOST_DESCRIBE_ENUM(CropKind, multi_scale, random_resized)

enum class Interpolation { bilinear, bicubic };
BOOST_DESCRIBE_ENUM(Interpolation, bilinear, bicubic)

// Short side of a test frame before the crop of `input_size`: the method's 256 to 224.
std::int64_t default_test_resize(std::int64_t input_size);

// Training, in this order: RandAugment, crop and resize, flip, colour jitter, grey, blur, solarise, erasing;
// what is drawn is the same for all frames of a clip unless `per_frame` is set. Test: resize of the short
// side, crops.
struct TransformConfig {
  std::int64_t input_size = 0;  // 0: the model's image size
  CropKind crop = CropKind::multi_scale;
  std::vector<double> scales = {1.0, 0.875, 0.75,
                                0.66};             // of the multi-scale crop; empty: the test transform
  std::vector<double> area = {0.08, 1.0};          // random_resized: share of the frame
  std::vector<double> aspect = {0.75, 4.0 / 3.0};  // random_resized: width / height
  Interpolation interpolation = Interpolation::bilinear;  // of training crops; tests are bicubic
  double flip = 0.5;                                      // chance of a horizontal flip
  // CSV `label,flipped` of label names: a mirrored clip of one is a clip of the other (SSv2's left and
  // right).
  InputPath flip_labels;
  RandAugmentConfig rand_augment;
  ColorJitterConfig color_jitter;
  double grayscale = 0;  // chance
  BlurConfig blur;
  double solarize = 0;                    // chance
  std::int64_t solarize_threshold = 128;  // bytes from here on are inverted
  ErasingConfig erasing;
  std::int64_t test_resize = 0;  // short side before the test crop; 0: default_test_resize()

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(TransformConfig, (),
                      (input_size, crop, scales, area, aspect, interpolation, flip, flip_labels, rand_augment,
                       color_jitter, grayscale, blur, solarize, solarize_threshold, erasing, test_resize))

// `config` with its zeros resolved for a model of `image_size`.
TransformConfig resolve(TransformConfig config, std::int64_t image_size);

struct DataConfig {
  DatasetConfig train;
  DatasetConfig val;
  DatasetConfig test;
  InputPath labels;              // CSV `id,name`, JSON, or a label a line
  std::int64_t num_workers = 2;  // decoding threads; 0: decode in the training thread
  std::int64_t prefetch = 2;     // batches prepared ahead
  // Of a split's videos, times their number and rounded up: so many may be undecodable, one more stops the
  // run. 0: the first.
  double max_failed_share = 0.01;
  double video_seconds = 60;  // a video that takes longer to decode is a failed one; 0: no limit
  SamplingConfig sampling;
  TransformConfig transforms;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(DataConfig, (),
                      (train, val, test, labels, num_workers, prefetch, max_failed_share, video_seconds,
                       sampling, transforms))

}  // namespace actionclip
