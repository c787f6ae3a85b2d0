#include "actionclip/video/normalize.h"

#include <array>
#include <limits>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/video/normalize_cases.h"

namespace actionclip {
namespace {

at::Tensor channels(const std::array<float, 3>& values) {
  return at::tensor(at::ArrayRef<float>(values), at::kFloat).view({1, 3, 1, 1});
}

// With libtorch's operations.
at::Tensor expression(const at::Tensor& frames, const ChannelStatistics& statistics) {
  return frames.to(at::kFloat).div_(255).sub_(channels(statistics.mean)).div_(channels(statistics.std));
}

at::Tensor cut(const at::Tensor& frames, const std::vector<CropChoice>& crops) {
  if (crops.empty()) return frames;
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < frames.size(0); ++i) {
    const auto& crop = crops[static_cast<std::size_t>(i) * crops.size() / frames.size(0)];
    const auto part = frames[i].narrow(1, crop.y, crop.height).narrow(2, crop.x, crop.width);
    parts.push_back(crop.flip ? part.flip(2) : part);
  }
  return at::stack(parts);
}

void expect_same_bits(const at::Tensor& ours, const at::Tensor& expected) {
  ASSERT_EQ(ours.scalar_type(), expected.scalar_type());
  ASSERT_EQ(ours.sizes(), expected.sizes());
  EXPECT_TRUE(ours.is_contiguous());
  EXPECT_TRUE(at::equal(ours, expected));  // no NaN, and no zero of another sign, comes out of bytes
}

TEST(NormalizeFrames, EveryByteBecomesWhatTheExpressionGives) {
  const auto bytes = at::arange(256, at::kByte).view({1, 1, 16, 16}).expand({2, 3, 16, 16}).contiguous();
  for (const auto& statistics : {kClipStatistics, ChannelStatistics{},
                                 ChannelStatistics{.mean = {0.5F, 0.485F, 0}, .std = {0.5F, 1e-3F, 3}}}) {
    const auto expected = expression(bytes, statistics);
    for (const auto type : kPixelTypes)
      expect_same_bits(normalize_frames(bytes, statistics, {.type = type}), expected.to(type));
  }
}

TEST(NormalizeFrames, EveryShapeAndCropEqualsTheExpression) {
  for (const auto& [name, frames, crops] : normalize_cases()) {
    SCOPED_TRACE(name);
    const auto pixels = cut(frames, crops);
    const auto expected =
        pixels.numel() == 0 ? at::empty(pixels.sizes()) : expression(pixels, kClipStatistics);
    for (const auto type : kPixelTypes)
      expect_same_bits(normalize_frames(frames, kClipStatistics, {.type = type, .crops = crops}),
                       expected.to(type).contiguous());
  }
}

TEST(NormalizeFrames, TheOutputMayBeginAnywhereAndNothingBesideItIsWritten) {
  const auto frames = random_frames(3, 5, 21);
  const auto expected = expression(frames, kClipStatistics);
  for (const auto type : kPixelTypes) {
    for (std::int64_t begin = 0; begin < 10; ++begin) {
      const auto buffer = at::full({begin + frames.numel() + 10}, 77, type);
      const auto out = buffer.narrow(0, begin, frames.numel()).view(frames.sizes());
      normalize_frames_into(out, frames, kClipStatistics, {.type = type});
      expect_same_bits(out, expected.to(type));
      EXPECT_TRUE(buffer.narrow(0, 0, begin).eq(77).all().item<bool>());
      EXPECT_TRUE(buffer.narrow(0, begin + frames.numel(), 10).eq(77).all().item<bool>());
    }
  }
}

TEST(NormalizeFrames, AnyNumberOfThreadsGivesTheSame) {
  const auto frames = random_frames(7, 120, 150);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto expected = normalize_frames(frames, kClipStatistics);
  at::set_num_threads(4);
  const auto ours = normalize_frames(frames, kClipStatistics);
  at::set_num_threads(before);
  expect_same_bits(ours, expected);
}

TEST(NormalizeFrames, EqualsTorchvision) {
  const TemporaryFolder folder;
  run_python("normalize_reference.py", {folder / "case.safetensors"});
  const auto tensors = read_tensors(folder / "case.safetensors");
  std::vector<CropChoice> crops;
  for (std::int64_t i = 0; i < tensors.at("crops").size(0); ++i) {
    const auto row = tensors.at("crops")[i];
    const auto number = [&](std::int64_t column) { return row[column].item<std::int64_t>(); };
    crops.push_back(
        {.x = number(0), .y = number(1), .width = number(2), .height = number(3), .flip = number(4) == 1});
  }
  const auto ours = normalize_frames(tensors.at("frames"), kClipStatistics, {.crops = crops});
  EXPECT_LT(relative_error(ours, tensors.at("expected")), 1e-6);
}

std::string message_of(const at::Tensor& frames, const NormalizeOptions& options = {},
                       const ChannelStatistics& statistics = kClipStatistics) {
  try {
    normalize_frames(frames, statistics, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

using testing::HasSubstr;

TEST(NormalizeFrames, WhatAreNoFramesIsRefused) {
  EXPECT_THAT(message_of(at::zeros({1, 3, 4, 4})), HasSubstr("uint8 [N, 3, H, W] needed"));
  EXPECT_THAT(message_of(at::zeros({1, 4, 4, 4}, at::kByte)), HasSubstr("[1, 4, 4, 4]"));
  EXPECT_THAT(message_of(at::zeros({3, 4, 4}, at::kByte)), HasSubstr("[3, 4, 4]"));
  const auto huge = at::zeros({1, 3, 1, 1}, at::kByte).expand({1, 3, 1, (std::int64_t{1} << 30) + 1});
  EXPECT_THAT(message_of(huge), HasSubstr("divide the batch"));
}

TEST(NormalizeFrames, StatisticsThatCannotBeAreRefused) {
  const auto frames = random_frames(1, 2, 2);
  for (const float std : {0.0F, -1.0F, std::numeric_limits<float>::infinity()})
    EXPECT_THAT(message_of(frames, {}, {.std = {1, std, 1}}), HasSubstr("std above 0 needed"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of(frames, {}, {.mean = {nan, 0, 0}}), HasSubstr("finite"));
}

TEST(NormalizeFrames, CropsThatDoNotFitAreRefused) {
  const auto frames = random_frames(4, 8, 10);
  const auto message = [&](const std::vector<CropChoice>& crops) {
    return message_of(frames, {.crops = crops});
  };
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  for (const auto& crop :
       {CropChoice{.x = 7, .width = 4, .height = 4}, CropChoice{.y = -1, .width = 4, .height = 4},
        CropChoice{.width = 11, .height = 4}, CropChoice{.x = kMost, .width = 4, .height = 4},
        CropChoice{.width = kMost, .height = kMost}, CropChoice{.width = -4, .height = 4}})
    EXPECT_THAT(message({crop}), HasSubstr("not inside the frame of 10 x 8"));
  EXPECT_THAT(message({{.width = 4, .height = 4}, {.width = 4, .height = 5}}),
              HasSubstr("size of the first, 4 x 4"));
  const CropChoice crop{.width = 4, .height = 4};
  EXPECT_THAT(message({crop, crop, crop}), HasSubstr("3 crops given for 4 frames"));
}

TEST(NormalizeFrames, OutputsThatDoNotFitAreRefused) {
  const auto frames = random_frames(2, 4, 6);
  EXPECT_THAT(message_of(frames, {.type = at::kInt}), HasSubstr("can be written"));
  const auto into = [&](const at::Tensor& out) { normalize_frames_into(out, frames, kClipStatistics); };
  EXPECT_THROW(into(at::empty({2, 3, 6, 4})), Error);
  EXPECT_THROW(into(at::empty({2, 3, 4, 6}, at::kHalf)), Error);
  EXPECT_THROW(into(at::empty({2, 3, 6, 4}).transpose(2, 3)), Error);
  EXPECT_NO_THROW(into(at::empty({2, 3, 4, 6})));
}

}  // namespace
}  // namespace actionclip
