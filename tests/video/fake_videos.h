// Videos that exist only in memory, for the tests of what sits above decoding.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/dataset.h"

namespace actionclip {

// Video i of a list: named "i", label i, 10 + i frames of 24x20 pixels. Every byte of frame f of video i is
// 16 * i + f.
inline VideoList fake_list(std::int64_t size, ListFormat format = ListFormat::video) {
  DatasetConfig config;
  config.list.path = "fake.txt";
  config.format = format;
  VideoList list(config);
  for (std::int64_t i = 0; i < size; ++i) {
    list.add(VideoEntry{.path = std::to_string(i),
                        .label_ids = {static_cast<std::int32_t>(i)},
                        .frame_count = -1,
                        .range = {},
                        .caption = fmt::format("caption {}", i),
                        .line = i + 1});
  }
  return list;
}

// Serves the videos of fake_list(); those in `damaged` cannot be decoded.
inline ClipDataset::FetchFrames fake_frames(std::set<std::int64_t> damaged = {}) {
  return [damaged](const VideoEntry& entry, const FrameChooser& choose) {
    if (damaged.contains(entry.label_id())) throw VideoError(entry.path.string() + ": damaged");
    std::vector<Image> images;
    for (const auto frame : choose(10 + entry.label_id())) {
      images.push_back({.width = 24, .height = 20, .rgb = {}});
      images.back().rgb.assign(3 * 24 * 20, static_cast<std::uint8_t>(16 * entry.label_id() + frame));
    }
    return images;
  };
}

inline ClipDatasetOptions fake_options() {
  ClipDatasetOptions options;
  options.frames = 4;
  options.transforms = resolve(options.transforms, 16);
  options.seed = 3;
  return options;
}

}  // namespace actionclip
