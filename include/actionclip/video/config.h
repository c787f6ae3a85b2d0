// Settings of the data side: the `data:` section of an experiment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/types.h"

namespace actionclip {

// What a line of a list names.
enum class ListFormat {
  video,     // PATH LABEL_ID: a video file
  frames,    // PATH NUM_FRAMES LABEL_ID: a folder of JPEG frames
  captions,  // CSV `path,caption`: an image or video and a sentence (pre-training)
};
BOOST_DESCRIBE_ENUM(ListFormat, video, frames, captions)

struct DatasetConfig {
  InputPath list;  // empty: this split does not exist
  InputPath root;  // folder that the list's paths are relative to; empty: the list's own folder
  ListFormat format = ListFormat::video;
  std::string frame_pattern = "img_{:05d}.jpg";  // names in a frame folder
  std::int64_t index_bias = 1;                   // number of the first frame

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(DatasetConfig, (), (list, root, format, frame_pattern, index_bias))

// Short side of a test frame before the crop of `input_size`: the method's 256 to 224.
std::int64_t default_test_resize(std::int64_t input_size);

// Training: multi-scale crop and flip. Test: resize of the short side, centre (or three) crops.
struct TransformConfig {
  std::int64_t input_size = 0;  // 0: the model's image size
  std::vector<double> scales = {1.0, 0.875, 0.75,
                                0.66};  // of the multi-scale crop; empty: the test transform
  double flip = 0.5;                    // chance of a horizontal flip
  std::int64_t test_resize = 0;         // short side before the test crop; 0: default_test_resize()

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(TransformConfig, (), (input_size, scales, flip, test_resize))

// `config` with its zeros resolved for a model of `image_size`.
TransformConfig resolve(TransformConfig config, std::int64_t image_size);

struct DataConfig {
  DatasetConfig train;
  DatasetConfig val;
  DatasetConfig test;
  InputPath labels;              // CSV `id,name` or a label a line
  std::int64_t num_workers = 2;  // decoding threads; 0: decode in the training thread
  std::int64_t prefetch = 2;     // batches prepared ahead
  // Of a split's videos, times their number and rounded up: so many may be undecodable, one more stops the
  // run. 0: the first.
  double max_failed_share = 0.01;
  TransformConfig transforms;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(DataConfig, (),
                      (train, val, test, labels, num_workers, prefetch, max_failed_share, transforms))

}  // namespace actionclip
