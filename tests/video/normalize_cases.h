// Frames of many shapes, to be normalised by whatever a test compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "actionclip/video/normalize.h"

namespace actionclip {

inline const ChannelStatistics kClipStatistics = {.mean = {0.48145466F, 0.4578275F, 0.40821073F},
                                                  .std = {0.26862954F, 0.26130258F, 0.27577711F}};

inline const std::vector<at::ScalarType> kPixelTypes = {at::kFloat, at::kHalf, at::kBFloat16};

struct NormalizeCase {
  std::string name;
  at::Tensor frames;
  std::vector<CropChoice> crops = {};
};

// Bytes in a buffer of their own, `begin` bytes behind its beginning.
inline at::Tensor random_frames(std::int64_t count, std::int64_t height, std::int64_t width,
                                std::int64_t begin = 0) {
  const std::int64_t size = count * 3 * height * width;
  return at::randint(0, 256, {begin + size}, at::kByte)
      .narrow(0, begin, size)
      .view({count, 3, height, width});
}

// `count` crops of height x width, at places of their own, every second one mirrored.
inline std::vector<CropChoice> spread_crops(const at::Tensor& frames, std::int64_t count, std::int64_t height,
                                            std::int64_t width) {
  std::vector<CropChoice> crops;
  for (std::int64_t i = 0; i < count; ++i)
    crops.push_back({.x = (5 * i + 1) % (frames.size(3) - width + 1),
                     .y = (3 * i + 2) % (frames.size(2) - height + 1),
                     .width = width,
                     .height = height,
                     .flip = i % 2 == 1});
  return crops;
}

inline std::vector<NormalizeCase> normalize_cases() {
  std::vector<NormalizeCase> cases;
  const auto add = [&](const std::string& name, const at::Tensor& frames,
                       const std::vector<CropChoice>& crops = {}) {
    cases.push_back(
        {fmt::format("{}, frames [{}], {} crops", name, fmt::join(frames.sizes(), ", "), crops.size()),
         frames, crops});
  };
  for (const std::int64_t width : {1, 3, 4, 7, 8, 15, 16, 17, 31, 64, 65})
    add("whole", random_frames(5, 3, width));
  for (std::int64_t begin = 1; begin <= 9; ++begin) {
    const auto frames = random_frames(6, 19, 43, begin);
    add("whole, unaligned", frames);
    add("a crop a frame", frames, spread_crops(frames, 6, 16, 33 - begin));
    add("a crop for two frames", frames, spread_crops(frames, 3, 7, 20 + begin));
    add("one crop", frames, spread_crops(frames, 1, 19, 43));
    add("mirrored", frames, {{.width = 43, .height = 19, .flip = true}});
  }
  add("an image", random_frames(2, 224, 224));
  const auto wide = random_frames(2, 240, 320);
  add("crops of an image", wide, spread_crops(wide, 2, 224, 224));
  add("more rows than threads", random_frames(1, 3000, 5));
  add("a long row", random_frames(1, 2, 5003));
  add("many frames", random_frames(700, 2, 3));
  add("strided", random_frames(4, 9, 22).narrow(3, 2, 17));
  add("channels last", random_frames(4, 9, 22).contiguous(at::MemoryFormat::ChannelsLast));
  add("no frames", random_frames(0, 4, 4));
  add("no pixels", random_frames(2, 0, 4));
  add("an empty crop", wide, {{.x = 3, .y = 3, .width = 0, .height = 8}});
  return cases;
}

}  // namespace actionclip
