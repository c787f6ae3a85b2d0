// Writes an H.264 (libx264, yuv420p) MP4 file. The same frames give the same bytes: one thread, no dates or
// versions in the container. Every frame is a key frame of the same quantiser, so that what it looks like
// once decoded depends on its own picture alone: frames predicted from earlier ones would carry traces of
// these, which betray the direction of time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "actionclip/video/image.h"

namespace actionclip {

struct VideoWriterConfig {
  std::int64_t width = 0;   // even
  std::int64_t height = 0;  // even
  int frames_per_second = 12;
  int quantiser = 20;  // H.264's QP: 1 best, 51 worst
};

class VideoWriter {
 public:
  // Creates or truncates `path`. Throws VideoError (path and reason), as do the others.
  VideoWriter(const std::filesystem::path& path, const VideoWriterConfig& config);
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  void write(const Image& frame);

  // Writes what is left and the index; without it the file is not playable.
  void finish();

 private:
  struct State;  // FFmpeg's objects
  void encode_and_mux(bool flush);

  std::unique_ptr<State> state_;
};

}  // namespace actionclip
