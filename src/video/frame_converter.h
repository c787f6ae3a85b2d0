// Decoded frames of any pixel format as upright RGB images.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/video/image.h"

#include "video/ffmpeg.h"

namespace actionclip {

// How a stored frame is turned to stand upright: transposed first, then mirrored.
struct Orientation {
  bool transpose = false;
  bool flip_x = false;
  bool flip_y = false;
};

// The orientation that a display matrix (9 values, libavutil/display.h) asks for, at the nearest quarter
// turn; none if nullptr.
Orientation orientation_of(const std::int32_t* display_matrix);

// Colours: the matrix and range that the frame names; where it names none, BT.601 and limited range, as
// FFmpeg and OpenCV assume at every size. Alpha is dropped.
class FrameConverter {
 public:
  // Every image gets the size of `first`, so that the frames of a video whose size changes midway still form
  // one clip.
  FrameConverter(const AVFrame& first, Orientation orientation);

  // Throws VideoError (without a path) if the pixel format cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  int width_;  // as stored, before turning
  int height_;
  Orientation orientation_;
  UniqueScaler scaler_;
  std::vector<std::uint8_t> stored_;  // one RGB frame, rows padded
};

}  // namespace actionclip
