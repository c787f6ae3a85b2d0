#include "model/temporal_shift.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace actionclip {
namespace {

// Token p of frame t of a video v has the value 100 v + 10 t + p + 1 in all its channels.
at::Tensor numbered(std::int64_t videos, std::int64_t frames, std::int64_t tokens, std::int64_t width) {
  const auto along = [](std::int64_t count, double step) { return at::arange(count, at::kFloat) * step; };
  const auto values = along(videos, 100).view({-1, 1, 1}) + along(frames, 10).view({1, -1, 1}) +
                      along(tokens, 1).view({1, 1, -1}) + 1;
  return values.flatten(0, 1).unsqueeze(2).expand({-1, -1, width}).clone();
}

TEST(TemporalShift, AnEighthOfThePatchChannelsMovesEachWayWithinAVideo) {
  const auto x = numbered(2, 3, 4, 19);  // an eighth of 19 channels: 2
  const auto y = temporal_shift(x, 3);
  EXPECT_TRUE(at::equal(y.select(1, 0), x.select(1, 0))) << "class tokens";
  EXPECT_TRUE(at::equal(y.narrow(2, 4, 15), x.narrow(2, 4, 15))) << "the other channels";
  for (std::int64_t video = 0; video < 2; ++video) {
    for (std::int64_t frame = 0; frame < 3; ++frame) {
      const auto patches = y[video * 3 + frame].narrow(0, 1, 3);
      const auto of_frame = [&](std::int64_t other) {
        return other < 0 || other > 2 ? at::zeros({3, 2})
                                      : x[video * 3 + other].narrow(0, 1, 3).narrow(1, 0, 2);
      };
      EXPECT_TRUE(at::equal(patches.narrow(1, 0, 2), of_frame(frame + 1))) << video << " " << frame;
      EXPECT_TRUE(at::equal(patches.narrow(1, 2, 2), of_frame(frame - 1))) << video << " " << frame;
    }
  }
}

TEST(TemporalShift, OfOneFrameTheMovedChannelsAreZero) {
  const auto x = numbered(2, 1, 3, 16);
  const auto y = temporal_shift(x, 1);
  EXPECT_TRUE(at::equal(y.narrow(1, 1, 2).narrow(2, 0, 4), at::zeros({2, 2, 4})));
  EXPECT_TRUE(at::equal(y.narrow(2, 4, 12), x.narrow(2, 4, 12)));
}

// The gradient goes back the way that the values came: <shift(x), g> = <x, grad>.
TEST(TemporalShift, GradientsGoBackToWhereTheValuesCameFrom) {
  at::manual_seed(1);
  const auto x = at::randn({8, 5, 24}).requires_grad_();
  const auto g = at::randn({8, 5, 24});
  (temporal_shift(x, 4) * g).sum().backward();
  const auto probe = at::randn({8, 5, 24});
  const auto forward = (temporal_shift(probe, 4) * g).sum().item<double>();
  EXPECT_NEAR((probe * x.grad()).sum().item<double>(), forward, 1e-4);
}

TEST(TemporalShift, ImagesThatAreNoWholeVideosAreRefused) {
  EXPECT_ANY_THROW(temporal_shift(at::zeros({4, 5, 16}), 3));
}

}  // namespace
}  // namespace actionclip
