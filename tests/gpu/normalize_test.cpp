// Frames normalised on a GPU: the bits of the CPU, whatever their shape, place in memory and crop.

#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/gpu/gpu_test.h"
#include "tests/video/normalize_cases.h"
#include "video/normalize_gpu.h"

namespace actionclip {
namespace {

class NormalizeOnGpu : public GpuTest {};

TEST_F(NormalizeOnGpu, TheKernelIsPartOfThisBuild) { EXPECT_TRUE(detail::has_normalize_kernel()); }

// `frames` on the GPU, as far from a multiple of 16 bytes as on the CPU.
at::Tensor to_gpu(const at::Tensor& frames, std::int64_t begin) {
  if (!frames.is_contiguous()) return frames.to(kGpu);
  const auto buffer = at::empty({begin + frames.numel()}, at::TensorOptions(kGpu).dtype(at::kByte));
  return buffer.narrow(0, begin, frames.numel()).view(frames.sizes()).copy_(frames);
}

TEST_F(NormalizeOnGpu, EveryShapeAndCropGivesTheCpusBits) {
  for (const auto& [name, frames, crops] : normalize_cases()) {
    for (const auto type : kPixelTypes) {
      SCOPED_TRACE(name + ", " + c10::toString(type));
      const NormalizeOptions options{.type = type, .crops = crops};
      const auto expected = normalize_frames(frames, kClipStatistics, options);
      for (const std::int64_t begin : {0, 1, 6}) {
        const auto ours = normalize_frames(to_gpu(frames, begin), kClipStatistics, options);
        EXPECT_TRUE(at::equal(ours.cpu(), expected)) << begin;
      }
    }
  }
}

TEST_F(NormalizeOnGpu, EveryByteGivesTheCpusBits) {
  const auto bytes = at::arange(256, at::kByte).view({1, 1, 16, 16}).expand({1, 3, 16, 16}).contiguous();
  for (const auto& statistics : {kClipStatistics, ChannelStatistics{},
                                 ChannelStatistics{.mean = {0.5F, 0.485F, 0}, .std = {0.5F, 1e-3F, 3}}}) {
    for (const auto type : kPixelTypes) {
      const auto ours = normalize_frames(bytes.to(kGpu), statistics, {.type = type});
      EXPECT_TRUE(at::equal(ours.cpu(), normalize_frames(bytes, statistics, {.type = type})));
    }
  }
}

TEST_F(NormalizeOnGpu, TheOutputMayBeginAnywhereAndNothingBesideItIsWritten) {
  const auto frames = random_frames(3, 5, 21);
  for (const auto type : kPixelTypes) {
    const auto expected = normalize_frames(frames, kClipStatistics, {.type = type});
    for (std::int64_t begin = 0; begin < 10; ++begin) {
      const auto buffer = at::full({begin + frames.numel() + 10}, 77, at::TensorOptions(kGpu).dtype(type));
      const auto out = buffer.narrow(0, begin, frames.numel()).view(frames.sizes());
      normalize_frames_into(out, frames.to(kGpu), kClipStatistics, {.type = type});
      EXPECT_TRUE(at::equal(out.cpu(), expected));
      EXPECT_TRUE(buffer.narrow(0, 0, begin).eq(77).all().item<bool>());
      EXPECT_TRUE(buffer.narrow(0, begin + frames.numel(), 10).eq(77).all().item<bool>());
    }
  }
}

// More than 2^31 pixels, so that places in memory need 64 bits: 2.3 GB in, 4.6 GB out.
TEST_F(NormalizeOnGpu, ABatchOfMoreThan31BitsIsNormalisedToItsEnd) {
  constexpr std::int64_t kFrames = 15500;
  const auto image = random_frames(1, 224, 224).to(kGpu);
  at::Tensor frames, ours;
  try {
    frames = at::zeros({kFrames, 3, 224, 224}, at::TensorOptions(kGpu).dtype(at::kByte));
    frames[kFrames - 1].copy_(image[0]);
    ours = normalize_frames(frames, kClipStatistics, {.type = at::kHalf});
  } catch (const c10::OutOfMemoryError&) {
    GTEST_SKIP() << "needs 7 GB of the GPU's memory";
  }
  ASSERT_GT(frames.numel(), std::int64_t{1} << 31);
  EXPECT_TRUE(at::equal(ours.narrow(0, kFrames - 1, 1),
                        normalize_frames(image, kClipStatistics, {.type = at::kHalf})));
  EXPECT_TRUE(at::equal(ours.narrow(0, kFrames - 2, 1), ours.narrow(0, 0, 1)));
}

TEST_F(NormalizeOnGpu, AnOutputOnAnotherDeviceIsRefused) {
  const auto frames = random_frames(1, 2, 2);
  EXPECT_THROW(normalize_frames_into(at::empty({1, 3, 2, 2}), frames.to(kGpu), kClipStatistics), Error);
}

}  // namespace
}  // namespace actionclip
