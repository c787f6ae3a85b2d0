// Videos in which every picture is another, and what choices of their frames are compared with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "actionclip/video/frame_source.h"

#include "tests/video/test_videos.h"
#include "video/full_reader.h"

namespace actionclip::testing {

inline constexpr int kFrames = 44;

inline std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

inline std::vector<Image> full_decode(const std::filesystem::path& path) {
  RegularFile file(path);
  const Deadline never(0);
  FullReader reader(file, never);
  return reader.read_to_end(up_to(reader.frame_count()));
}

// Of `count` frames: each alone, pairs near and far, and spreads of eight.
inline std::vector<std::vector<std::int64_t>> choices_of(std::int64_t count) {
  std::vector<std::vector<std::int64_t>> choices;
  for (std::int64_t i = 0; i < count; ++i) {
    choices.push_back({i});
    if (i % 3 == 0) choices.push_back({i, std::min(i + 1 + i % 5, count - 1)});
    if (i % 7 == 0) choices.push_back({i / 2, count - 1 - i / 3});
  }
  for (std::int64_t start = 0; start < 5 && start < count; ++start) {
    std::vector<std::int64_t> spread;
    for (std::int64_t i = 0; i < 8; ++i) spread.push_back(start + (count - 1 - start) * i / 7);
    choices.push_back(spread);
  }
  return choices;
}

inline std::string differing(const std::vector<Image>& images, const std::vector<std::int64_t>& indices,
                             const std::vector<Image>& whole) {
  std::string list;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Image& expected = whole[static_cast<std::size_t>(indices[i])];
    if (images[i].rgb != expected.rgb || images[i].width != expected.width)
      list += std::to_string(indices[i]) + " ";
  }
  return list;
}

inline FrameChooser always(const std::vector<std::int64_t>& indices) {
  return [indices](std::int64_t) { return indices; };
}

inline TestVideo moving(const char* encoder, const char* parameters = "", int keyframe_interval = 12,
                        int b_frames = 3) {
  TestVideo video{.encoder = encoder, .width = 96, .height = 80, .frames = kFrames};
  video.keyframe_interval = keyframe_interval;
  video.b_frames = b_frames;
  video.paint = moving_frame;
  const std::string name = encoder;
  const std::string all =
      std::string(name == "libx265" ? "log-level=none:" : "") + "scenecut=0:" + parameters;
  if (name == "libx264") video.encoder_options = {{"x264-params", all}};
  if (name == "libx265") video.encoder_options = {{"x265-params", all}};
  if (name == "libvpx-vp9" || name == "libvpx")
    video.encoder_options = {
        {"deadline", "good"}, {"cpu-used", "5"}, {"auto-alt-ref", "1"}, {"lag-in-frames", "12"}};
  if (name == "libaom-av1") video.encoder_options = {{"cpu-used", "8"}, {"lag-in-frames", "12"}};
  return video;
}

}  // namespace actionclip::testing
