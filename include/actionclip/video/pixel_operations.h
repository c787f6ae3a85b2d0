// Operations on the pixels of one picture, in place, with the meaning of torchvision.transforms.functional on
// uint8 tensors: within 1 of 255 of its results. Geometry is nearest neighbour with black outside; where a
// source point lies exactly half way between two pixels, rounding decides, here and there.
//
// Torch-free, safe to call from many threads at once, single-threaded within a call. Functions that take a
// parameter throw Error if it is out of its range.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "actionclip/video/image.h"

namespace actionclip {

enum class PixelLayout {
  packed,  // [height, width, 3], as Image
  planar,  // [3, height, width], as a frame of a clip
};

// The 3 * width * height bytes of an RGB picture at `data`, not owned.
struct PixelView {
  std::uint8_t* data = nullptr;
  std::int64_t width = 0;
  std::int64_t height = 0;
  PixelLayout layout = PixelLayout::packed;

  std::int64_t area() const { return width * height; }
};

// Throws VideoError if the image's bytes are not those of its size.
PixelView view_of(Image& image);

struct Rectangle {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;

  bool operator==(const Rectangle&) const = default;
};

using Color = std::array<std::uint8_t, 3>;  // red, green, blue

// Mixtures factor * picture + (1 - factor) * other, factor >= 0, of the picture and
void adjust_brightness(const PixelView& pixels, double factor);  // black
void adjust_contrast(const PixelView& pixels, double factor);    // the mean of its greys
void adjust_saturation(const PixelView& pixels, double factor);  // its greys
void adjust_sharpness(const PixelView& pixels, double factor);   // itself smoothed by a 3x3 kernel

// `shift` of the hue's circle, in [-0.5, 0.5].
void adjust_hue(const PixelView& pixels, double shift);

// Three equal channels: 0.2989 red + 0.587 green + 0.114 blue, rounded down.
void to_grayscale(const PixelView& pixels);

inline constexpr double kMaxBlurSigma = 64;

// Gaussian of standard deviation `sigma` pixels, in (0, kMaxBlurSigma], over 2 * ceil(3 sigma) + 1 pixels
// each way; the picture is reflected at its borders.
void gaussian_blur(const PixelView& pixels, double sigma);

void invert(const PixelView& pixels);
void solarize(const PixelView& pixels, double threshold);  // inverts bytes >= threshold, of [0, 255]
void posterize(const PixelView& pixels, int bits);         // keeps the upper `bits`, 0..8, of each byte

// Stretch of each channel to the whole range of bytes; a constant channel stays.
void autocontrast(const PixelView& pixels);

// A flat histogram for each channel; a channel of too few values to spread over 255 steps stays.
void equalize(const PixelView& pixels);

// Slant about the upper left corner: a row moves left by tangent * its distance from the upper border (in
// `shear_y` a column moves up by its distance from the left border), tangent in [-16, 16].
void shear_x(const PixelView& pixels, double tangent);
void shear_y(const PixelView& pixels, double tangent);

// The content moves right by `dx` and down by `dy` pixels.
void translate(const PixelView& pixels, std::int64_t dx, std::int64_t dy);

// About the centre, counter-clockwise.
void rotate(const PixelView& pixels, double degrees);

// Paints a rectangle that lies inside the picture: with one colour, or with `colors`, row by row.
void erase(const PixelView& pixels, const Rectangle& rectangle, const Color& color);
void erase(const PixelView& pixels, const Rectangle& rectangle, std::span<const Color> colors);

}  // namespace actionclip
