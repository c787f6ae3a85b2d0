#include "actionclip/video/frame_transform.h"

#include <algorithm>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/resampler.h"
#include "video/vector_clones.h"

namespace actionclip {
namespace {

constexpr std::int64_t kMaxResizedPixels = 64 << 20;

void check_image(const Image& image) {
  if (image.width < 1 || image.height < 1 ||
      static_cast<std::int64_t>(image.rgb.size()) != 3 * image.width * image.height) {
    throw VideoError(
        fmt::format("a frame of {}x{} pixels has {} bytes", image.width, image.height, image.rgb.size()));
  }
}

// `n` pixels of a row, apart.
ACTIONCLIP_VECTOR_CLONES void split_row(const std::uint8_t* __restrict rgb, std::int64_t n,
                                        std::uint8_t* __restrict red, std::uint8_t* __restrict green,
                                        std::uint8_t* __restrict blue) {
  for (std::int64_t x = 0; x < n; ++x) {
    red[x] = rgb[3 * x];
    green[x] = rgb[3 * x + 1];
    blue[x] = rgb[3 * x + 2];
  }
}

// Writes the rectangle `part` of the image, mirrored if part.flip.
void copy_part(const Image& image, const CropChoice& part, const PlanarView& out) {
  for (std::int64_t y = 0; y < part.height; ++y) {
    const auto* rgb = image.rgb.data() + 3 * ((part.y + y) * image.width + part.x);
    auto* red = out.data + y * out.row_stride;
    auto* green = red + out.plane_stride;
    auto* blue = green + out.plane_stride;
    split_row(rgb, part.width, red, green, blue);
    if (!part.flip) continue;
    for (auto* row : {red, green, blue}) std::reverse(row, row + part.width);
  }
}

// Writes the rectangle `part` of planes, mirrored if part.flip.
void copy_part(const PlanarView& planes, const CropChoice& part, const PlanarView& out) {
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    for (std::int64_t y = 0; y < part.height; ++y) {
      const auto* from =
          planes.data + channel * planes.plane_stride + (part.y + y) * planes.row_stride + part.x;
      auto* to = out.data + channel * out.plane_stride + y * out.row_stride;
      if (part.flip) {
        std::reverse_copy(from, from + part.width, to);
      } else {
        std::copy_n(from, part.width, to);
      }
    }
  }
}

}  // namespace

TrainingTransform::TrainingTransform(const CropChoice& choice, Interpolation interpolation,
                                     std::int64_t input_size)
    : choice_(choice) {
  const Size size{.width = input_size, .height = input_size};
  if (choice.width < 1 || choice.height < 1 || Size{choice.width, choice.height} == size) return;
  const CropChoice whole{.x = 0, .y = 0, .width = input_size, .height = input_size, .flip = choice.flip};
  resampler_ = std::make_unique<Resampler>(choice, size, whole, interpolation);
}

TrainingTransform::~TrainingTransform() = default;
TrainingTransform::TrainingTransform(TrainingTransform&&) noexcept = default;
TrainingTransform& TrainingTransform::operator=(TrainingTransform&&) noexcept = default;

void TrainingTransform::apply(const Image& image, const PlanarView& out) {
  check_image(image);
  if (choice_.x < 0 || choice_.y < 0 || choice_.width < 1 || choice_.height < 1 ||
      choice_.x + choice_.width > image.width || choice_.y + choice_.height > image.height) {
    throw VideoError(fmt::format("the crop {}x{} at ({}, {}) does not lie in a frame of {}x{} pixels",
                                 choice_.width, choice_.height, choice_.x, choice_.y, image.width,
                                 image.height));
  }
  if (resampler_ != nullptr) {
    resampler_->run(image, out);
  } else {
    copy_part(image, choice_, out);
  }
}

TestTransform::TestTransform(const TestView& view, bool flip) : view_(view), flip_(flip) {}

TestTransform::~TestTransform() = default;
TestTransform::TestTransform(TestTransform&&) noexcept = default;
TestTransform& TestTransform::operator=(TestTransform&&) noexcept = default;

void TestTransform::prepare(Size frame) {
  frame_.reset();
  const auto size = resized_size(frame.width, frame.height, view_.resize);
  // A frame one pixel high would grow to gigabytes.
  if (size.width * size.height > kMaxResizedPixels) {
    throw VideoError(fmt::format("a frame of {}x{} pixels is too long and thin", frame.width, frame.height));
  }
  choices_ = test_crops(size.width, size.height, view_.input_size, view_.crops);
  for (auto& choice : choices_) choice.flip = choice.flip != flip_;
  part_ = smallest_around(choices_);
  part_.flip = choices_.size() == 1 && choices_.front().flip;  // of several, each is mirrored when it is cut
  resampler_.reset();
  if (size != frame) {
    const CropChoice whole{.x = 0, .y = 0, .width = frame.width, .height = frame.height, .flip = false};
    resampler_ = std::make_unique<Resampler>(whole, size, part_, Interpolation::bicubic);
    if (choices_.size() > 1) planes_.resize(static_cast<std::size_t>(3 * part_.width * part_.height));
  }
  frame_ = frame;
}

void TestTransform::apply(const Image& image, std::span<const PlanarView> out) {
  check_image(image);
  const Size frame{.width = image.width, .height = image.height};
  if (frame_ != frame) prepare(frame);
  if (out.size() != choices_.size()) {
    throw Error(fmt::format("{} crops of a frame cannot go to {} places", choices_.size(), out.size()));
  }
  if (resampler_ == nullptr) {
    for (std::size_t i = 0; i < out.size(); ++i) copy_part(image, choices_[i], out[i]);
    return;
  }
  if (out.size() == 1) {
    resampler_->run(image, out.front());
    return;
  }
  const PlanarView planes{
      .data = planes_.data(), .row_stride = part_.width, .plane_stride = part_.width * part_.height};
  resampler_->run(image, planes);
  for (std::size_t i = 0; i < out.size(); ++i) {
    CropChoice choice = choices_[i];
    choice.x -= part_.x;
    choice.y -= part_.y;
    copy_part(planes, choice, out[i]);
  }
}

}  // namespace actionclip
