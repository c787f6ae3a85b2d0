// Decoded frames of any pixel format as upright RGB images.
#pragma once

#include <cstdint>
#include <filesystem>
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
// FFmpeg and OpenCV assume at every size. Alpha is dropped. The way of PyAV, torchcodec and decord: each
// pixel of 8-bit 4:2:0 takes the chroma of its block, which libswscale has vector code for (0.03 ms for 340 x
// 256, where interpolated chroma takes 0.9 ms and differs from what others train on by up to 27 of 255 at
// edges). Where chroma is interpolated, of more bits or an odd number of lines, it is as in PyAV's libswscale
// (9.5); the fields of interlaced frames are converted each for itself. The same result on every processor of
// an architecture.
class FrameConverter {
 public:
  // Every image gets the size of `first`, so that the frames of a video whose size changes midway still form
  // one clip. `path`: the video's, for messages.
  FrameConverter(const AVFrame& first, Orientation orientation, std::filesystem::path path);

  // Throws VideoError if the pixel format cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  // All of a frame that decides how it is converted.
  struct Source {
    int format = AV_PIX_FMT_NONE;
    int width = 0;
    int height = 0;
    AVColorSpace space = AVCOL_SPC_UNSPECIFIED;
    bool full_range = false;
    AVChromaLocation chroma = AVCHROMA_LOC_UNSPECIFIED;
    int fields = 1;

    bool operator==(const Source&) const = default;
  };

  Source source_of(const AVFrame& frame) const;
  void set_up(const Source& source);
  void set_up_spreading(const Source& source);
  void convert_field(const AVFrame& frame, int field);

  int width_;  // as stored, before turning
  int height_;
  Orientation orientation_;
  std::filesystem::path path_;
  UniqueScaler scaler_;
  Source source_;          // what the scalers are set up for
  UniqueScaler spreader_;  // gives every line chroma, into spread_, before scaler_; or none
  UniqueFrame spread_;
  std::vector<std::uint8_t> stored_;  // one RGB frame, rows padded
};

}  // namespace actionclip
