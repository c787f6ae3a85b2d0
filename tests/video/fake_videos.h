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

// The frames that `choose` picks of `frame_count`, each made by image_of(frame).
template <typename ImageOf>
ChosenFrames choose_frames(std::int64_t frame_count, const FrameChooser& choose, const ImageOf& image_of) {
  ChosenFrames chosen;
  chosen.frame_count = frame_count;
  for (const auto frame : choose(frame_count)) chosen.frames.push_back(image_of(frame));
  return chosen;
}

// Serves the videos of fake_list(); those in `damaged` cannot be decoded.
inline ClipDataset::FetchFrames fake_frames(std::set<std::int64_t> damaged = {}) {
  return [damaged](const VideoEntry& entry, const FrameChooser& choose) {
    if (damaged.contains(entry.label_id())) throw VideoError(entry.path.string() + ": damaged");
    return choose_frames(10 + entry.label_id(), choose, [&](std::int64_t frame) {
      Image image{.width = 24, .height = 20, .rgb = {}};
      image.rgb.assign(3 * 24 * 20, static_cast<std::uint8_t>(16 * entry.label_id() + frame));
      return image;
    });
  };
}

// The same list's videos with 30 frames each, of which every pixel tells its place, frame and video.
inline ClipDataset::FetchFrames noisy_frames(std::int64_t width, std::int64_t height) {
  return [width, height](const VideoEntry& entry, const FrameChooser& choose) {
    return choose_frames(30, choose, [&](std::int64_t frame) {
      Image image{.width = width, .height = height, .rgb = {}};
      for (std::int64_t i = 0; i < 3 * width * height; ++i) {
        image.rgb.push_back(static_cast<std::uint8_t>((i * 7919 + 31 * entry.label_id() + 13 * frame) % 251));
      }
      return image;
    });
  };
}

// Still videos: a picture whose every pixel differs, so that crops and flips show.
inline ClipDataset::FetchFrames patterned_frames(std::int64_t width, std::int64_t height) {
  return [width, height](const VideoEntry&, const FrameChooser& choose) {
    return choose_frames(30, choose, [&](std::int64_t /*frame*/) {
      Image image{.width = width, .height = height, .rgb = {}};
      for (std::int64_t i = 0; i < 3 * width * height; ++i)
        image.rgb.push_back(static_cast<std::uint8_t>(i * 7919 % 251));
      return image;
    });
  };
}

inline ClipDatasetOptions fake_options() {
  ClipDatasetOptions options;
  options.frames = 4;
  options.transforms = resolve(options.transforms, 16);
  options.seed = 3;
  return options;
}

// With every augmentation there is.
inline ClipDatasetOptions augmented_options() {
  auto options = fake_options();
  auto& transforms = options.transforms;
  transforms.crop = CropKind::random_resized;
  transforms.rand_augment = {.operations = 2, .magnitude = 9, .per_frame = true};
  transforms.color_jitter.probability = 0.8;
  transforms.grayscale = 0.2;
  transforms.blur.probability = 0.5;
  transforms.solarize = 0.2;
  transforms.erasing.probability = 0.5;
  transforms.erasing.noise = true;
  return options;
}

}  // namespace actionclip
