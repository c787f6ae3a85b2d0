// Pictures and clips of known bytes for the augmentations, and their comparison with torchvision's results.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/core/random.h"
#include "actionclip/video/pixel_operations.h"

#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip::testing {

// Noise of `spread` values around a gradient that starts at `base`.
inline Image noisy_picture(std::int64_t width, std::int64_t height, std::uint64_t index,
                           std::int64_t base = 0, std::int64_t spread = 128) {
  RandomStream random(1, RandomPurpose::kSynthetic, 0, index);
  Image image{.width = width, .height = height, .rgb = {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    const auto gradient = (255 - base - spread) * (i % (3 * width)) / (3 * width);
    image.rgb.push_back(static_cast<std::uint8_t>(base + gradient + random.below(spread + 1)));
  }
  return image;
}

inline Image constant_picture(std::int64_t width, std::int64_t height, Color color) {
  Image image{.width = width, .height = height, .rgb = {}};
  for (std::int64_t i = 0; i < width * height; ++i)
    image.rgb.insert(image.rgb.end(), color.begin(), color.end());
  return image;
}

inline std::vector<std::uint8_t> planes_of(const Image& image) {
  const auto area = image.width * image.height;
  std::vector<std::uint8_t> planes(image.rgb.size());
  for (std::int64_t i = 0; i < 3 * area; ++i) planes[i % 3 * area + i / 3] = image.rgb[i];
  return planes;
}

using Operation = std::function<void(const PixelView&)>;

inline Image changed(Image image, const Operation& operation) {
  operation(view_of(image));
  return image;
}

// An operation, its name and numbers as photometric_reference.py takes them, and the share of bytes that may
// differ: where geometry meets a point half way between two pixels.
struct ParityCase {
  std::string name;
  std::vector<double> numbers;
  Operation ours;
  double differing_share = 0;
  std::int64_t smallest_side = 1;  // of pictures that the reference takes
};

inline std::string argument_of(const ParityCase& test, std::size_t picture, const Image& image) {
  auto argument = fmt::format("{}:{}:{}x{}", test.name, picture, image.width, image.height);
  for (const double number : test.numbers) argument += fmt::format(":{}", number);
  return argument;
}

// That all but the allowed share of bytes are within 1 of 255 of the reference's.
inline void expect_close(const Image& ours, const std::string& reference, double differing_share,
                         const std::string& what) {
  ASSERT_EQ(ours.rgb.size(), reference.size()) << what;
  std::size_t different = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    different += std::abs(int{ours.rgb[i]} - int{static_cast<std::uint8_t>(reference[i])}) > 1 ? 1 : 0;
  }
  EXPECT_LE(static_cast<double>(different), differing_share * static_cast<double>(reference.size())) << what;
}

// That in planes the same happens as in packed rows.
inline void expect_same_in_planes(const Image& before, const Image& after, const Operation& operation,
                                  const std::string& what) {
  auto planes = planes_of(before);
  operation(
      {.data = planes.data(), .width = before.width, .height = before.height, .layout = PixelLayout::planar});
  EXPECT_EQ(planes, planes_of(after)) << what;
}

// Every case on every picture against torchvision, in both layouts.
inline void expect_parity(const std::vector<ParityCase>& cases, const std::vector<Image>& pictures) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments{folder.path().string()};
  std::vector<Image> results;
  std::vector<double> shares;
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    const auto& picture = pictures[p];
    folder.write(fmt::format("{}.rgb", p),
                 {reinterpret_cast<const char*>(picture.rgb.data()), picture.rgb.size()});
    for (const auto& test : cases) {
      if (std::min(picture.width, picture.height) < test.smallest_side) continue;
      arguments.push_back(argument_of(test, p, picture));
      results.push_back(changed(picture, test.ours));
      shares.push_back(test.differing_share);
      expect_same_in_planes(picture, results.back(), test.ours, arguments.back());
    }
  }
  run_python("photometric_reference.py", arguments);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto reference = read_text(folder / fmt::format("{}.out", i));
    expect_close(results[i], reference, shares[i], arguments[i + 1]);
  }
}

}  // namespace actionclip::testing
