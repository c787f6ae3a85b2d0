// From a decoded frame to planes of the model's size: crop, antialiased resize, mirror image. Torch-free, in
// the calling thread alone, the same bytes on every CPU. uint8 in, uint8 out: scaling to [0, 1], mean and
// standard deviation are the model's, on its device. S is the input size.
//
// An object serves the frames of one clip, one after the other: what does not depend on the pixels is
// computed once for frames of one size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actionclip/video/augmentation.h"
#include "actionclip/video/config.h"
#include "actionclip/video/image.h"

namespace actionclip {

class Resampler;

// Cuts out a crop, resizes it to S x S and mirrors it if the choice says so.
class TrainingTransform {
 public:
  TrainingTransform(const CropChoice& choice, Interpolation interpolation, std::int64_t input_size);
  ~TrainingTransform();
  TrainingTransform(TrainingTransform&&) noexcept;
  TrainingTransform& operator=(TrainingTransform&&) noexcept;

  // Writes S x S pixels, the very bytes of Pillow's resize. Throws VideoError if the crop does not lie in the
  // image.
  void apply(const Image& image, const PlanarView& out);

 private:
  CropChoice choice_;
  std::unique_ptr<Resampler> resampler_;  // none: the crop is S x S
};

// Resizes the short side of a frame (bicubic) and cuts out test_crops(), all of them mirrored if `flip`.
class TestTransform {
 public:
  explicit TestTransform(const TestView& view, bool flip = false);
  ~TestTransform();
  TestTransform(TestTransform&&) noexcept;
  TestTransform& operator=(TestTransform&&) noexcept;

  // Writes S x S pixels to each of `out`, one a crop, the very bytes of Pillow's resize. Throws Error if
  // resize < S or there are no such crops; VideoError on a frame so thin that its resized form would have
  // more than 64 Mi pixels.
  void apply(const Image& image, std::span<const PlanarView> out);

 private:
  void prepare(Size frame);

  TestView view_;
  bool flip_;
  std::optional<Size> frame_;             // that what follows was prepared for
  std::vector<CropChoice> choices_;       // in the resized frame
  CropChoice part_;                       // of the resized frame, the smallest that holds the crops
  std::unique_ptr<Resampler> resampler_;  // of `part_`; none: the frame has the size already
  std::vector<std::uint8_t> planes_;      // `part_`, where several crops are cut from it
};

}  // namespace actionclip
