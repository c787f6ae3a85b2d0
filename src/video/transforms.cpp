#include "actionclip/video/transforms.h"

#include <ATen/ops/empty.h>

#include "actionclip/video/frame_transform.h"

namespace actionclip {

PlanarView planes_of(const at::Tensor& frame) {
  return {.data = frame.mutable_data_ptr<std::uint8_t>(),
          .row_stride = frame.stride(1),
          .plane_stride = frame.stride(0)};
}

std::vector<PlanarView> planes_of_all(const at::Tensor& frames) {
  std::vector<PlanarView> planes;
  for (std::int64_t i = 0; i < frames.size(0); ++i) planes.push_back(planes_of(frames[i]));
  return planes;
}

void transform_training_frame(const Image& image, const CropChoice& choice, Interpolation interpolation,
                              const at::Tensor& out) {
  TrainingTransform(choice, interpolation, out.size(-1)).apply(image, planes_of(out));
}

void transform_test_frame(const Image& image, std::int64_t resize, const at::Tensor& out, bool flip) {
  TestTransform({.resize = resize, .input_size = out.size(-1), .crops = out.size(0)}, flip)
      .apply(image, planes_of_all(out));
}

at::Tensor test_transform(std::span<const Image> images, std::int64_t resize, std::int64_t input_size,
                          std::int64_t crops) {
  const auto count = static_cast<std::int64_t>(images.size());
  const auto views = at::empty({crops, count, 3, input_size, input_size}, at::kByte);
  TestTransform transform({.resize = resize, .input_size = input_size, .crops = crops});
  for (std::int64_t i = 0; i < count; ++i) transform.apply(images[i], planes_of_all(views.select(1, i)));
  return views;
}

}  // namespace actionclip
