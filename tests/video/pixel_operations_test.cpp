#include "actionclip/video/pixel_operations.h"

#include <cmath>

#include "actionclip/core/error.h"

#include "tests/video/test_pictures.h"

namespace actionclip {
namespace {

using testing::changed;
using testing::constant_picture;
using testing::expect_parity;
using testing::noisy_picture;
using testing::ParityCase;

// Odd sizes, single rows, columns and pixels, constants, and few values.
std::vector<Image> pictures() {
  return {noisy_picture(64, 48, 0),
          noisy_picture(37, 23, 1),
          noisy_picture(33, 40, 2, 90, 20),
          noisy_picture(40, 31, 3, 0, 1),
          noisy_picture(2, 2, 4),
          noisy_picture(3, 3, 5),
          noisy_picture(5, 1, 6),
          noisy_picture(1, 4, 7),
          noisy_picture(1, 1, 8),
          constant_picture(30, 20, {0, 0, 0}),
          constant_picture(30, 20, {255, 255, 255}),
          constant_picture(30, 20, {7, 130, 254})};
}

// `operation` with each of `numbers`.
template <typename Function>
std::vector<ParityCase> cases_of(const std::string& name, const std::vector<double>& numbers,
                                 Function operation) {
  std::vector<ParityCase> cases;
  for (const double number : numbers) {
    cases.push_back({.name = name, .numbers = {number}, .ours = [=](const PixelView& pixels) {
                       operation(pixels, number);
                     }});
  }
  return cases;
}

void append(std::vector<ParityCase>& cases, const std::vector<ParityCase>& more) {
  cases.insert(cases.end(), more.begin(), more.end());
}

TEST(PixelOperations, BlendsAgreeWithTorchvision) {
  const std::vector<double> factors{0, 0.1, 0.6, 0.73, 1, 1.27, 1.4, 1.9, 3};
  auto cases = cases_of("brightness", factors, adjust_brightness);
  append(cases, cases_of("contrast", factors, adjust_contrast));
  append(cases, cases_of("saturation", factors, adjust_saturation));
  append(cases, cases_of("sharpness", factors, adjust_sharpness));
  cases.push_back({.name = "grayscale", .ours = to_grayscale});
  expect_parity(cases, pictures());
}

// Beside the pictures 17^3 colours: all sectors of the hue, their borders, and greys.
TEST(PixelOperations, HueAgreesWithTorchvision) {
  Image colours{.width = 17, .height = 289, .rgb = {}};
  const auto byte = [](int step) { return static_cast<std::uint8_t>(std::min(16 * step, 255)); };
  for (int i = 0; i < 17 * 289; ++i) {
    colours.rgb.insert(colours.rgb.end(), {byte(i % 17), byte(i / 17 % 17), byte(i / 289)});
  }
  auto all = pictures();
  all.push_back(colours);
  expect_parity(cases_of("hue", {-0.5, -0.31, -0.1, 0, 0.01, 0.1, 1.0 / 6, 0.3, 0.49, 0.5}, adjust_hue), all);
}

TEST(PixelOperations, TablesAgreeWithTorchvision) {
  std::vector<ParityCase> cases{{.name = "invert", .ours = invert},
                                {.name = "autocontrast", .ours = autocontrast},
                                {.name = "equalize", .ours = equalize}};
  append(cases, cases_of("solarize", {0, 0.5, 128, 178.5, 255}, solarize));
  append(cases, cases_of("posterize", {0, 1, 4, 7, 8}, [](const PixelView& pixels, double bits) {
           posterize(pixels, static_cast<int>(bits));
         }));
  expect_parity(cases, pictures());
}

TEST(PixelOperations, BlurAgreesWithTorchvisionAndReachesThreeSigmas) {
  auto cases = cases_of("blur", {0.1, 0.5, 1, 1.37, 2, 5}, gaussian_blur);
  // torchvision reflects a picture once at most.
  for (auto& test : cases) test.smallest_side = static_cast<std::int64_t>(std::ceil(3 * test.numbers[0])) + 1;
  expect_parity(cases, pictures());
}

TEST(PixelOperations, MovesAgreeWithTorchvision) {
  std::vector<ParityCase> cases;
  for (const auto& [dx, dy] : {std::pair{0, 0}, {3, 0}, {-7, 0}, {0, 5}, {0, -2}, {4, -9}, {1000, 0}}) {
    cases.push_back({.name = "translate",
                     .numbers = {static_cast<double>(dx), static_cast<double>(dy)},
                     .ours = [dx = dx, dy = dy](const PixelView& pixels) { translate(pixels, dx, dy); }});
  }
  // Not 30 degrees, whose sine of 1/2 puts one point in a hundred half way between two pixels.
  append(cases, cases_of("rotate", {-29, -9, -1, 0, 2.5, 9, 21, 29, 77}, rotate));
  append(cases, cases_of("rand_augment/ShearX", {-0.3, -0.09, 0, 0.03, 0.17, 0.3}, shear_x));
  append(cases, cases_of("rand_augment/ShearY", {-0.3, -0.09, 0, 0.03, 0.17, 0.3}, shear_y));
  for (auto& test : cases) test.differing_share = test.name == "translate" ? 0 : 1e-3;
  expect_parity(cases, pictures());
}

TEST(PixelOperations, ARectangleIsPaintedAsTorchvisionDoes) {
  const auto case_of = [](Rectangle area) {
    return ParityCase{
        .name = "erase",
        .numbers = {static_cast<double>(area.x), static_cast<double>(area.y), static_cast<double>(area.width),
                    static_cast<double>(area.height), 123, 117, 104},
        .ours = [area](const PixelView& pixels) {
          erase(pixels, area, Color{123, 117, 104});
        }};
  };
  expect_parity(
      {case_of({3, 5, 17, 9}), case_of({0, 0, 37, 23}), case_of({36, 22, 1, 1}), case_of({4, 4, 0, 3})},
      {noisy_picture(37, 23, 0)});
}

TEST(PixelOperations, NoiseIsPaintedRowByRow) {
  const std::vector<Color> noise{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  const auto image = changed(constant_picture(4, 3, {0, 0, 0}), [&](const PixelView& pixels) {
    erase(pixels, {.x = 1, .y = 1, .width = 2, .height = 2}, noise);
  });
  auto expected = constant_picture(4, 3, {0, 0, 0});
  const std::vector<std::uint8_t> first{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint8_t> second{7, 8, 9, 10, 11, 12};
  std::ranges::copy(first, expected.rgb.begin() + 15);
  std::ranges::copy(second, expected.rgb.begin() + 27);
  EXPECT_EQ(image.rgb, expected.rgb);
}

TEST(PixelOperations, ABlurWiderThanThePictureStaysWithinItsValues) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 1}, {1, 3}, {5, 4}}) {
    const auto image = changed(constant_picture(width, height, {9, 100, 255}),
                               [](const PixelView& pixels) { gaussian_blur(pixels, 20); });
    EXPECT_EQ(image.rgb, constant_picture(width, height, {9, 100, 255}).rgb);
  }
}

TEST(PixelOperations, RefusesParametersOutOfRange) {
  auto image = noisy_picture(8, 6, 0);
  const auto before = image.rgb;
  const auto pixels = view_of(image);
  EXPECT_THROW(adjust_brightness(pixels, -0.1), Error);
  EXPECT_THROW(adjust_contrast(pixels, NAN), Error);
  EXPECT_THROW(adjust_saturation(pixels, -1), Error);
  EXPECT_THROW(adjust_sharpness(pixels, -1), Error);
  EXPECT_THROW(adjust_hue(pixels, 0.51), Error);
  EXPECT_THROW(gaussian_blur(pixels, 0), Error);
  EXPECT_THROW(gaussian_blur(pixels, kMaxBlurSigma + 1), Error);
  EXPECT_THROW(solarize(pixels, 256), Error);
  EXPECT_THROW(posterize(pixels, 9), Error);
  EXPECT_THROW(posterize(pixels, -1), Error);
  EXPECT_THROW(shear_x(pixels, 17), Error);
  EXPECT_THROW(shear_y(pixels, NAN), Error);
  EXPECT_THROW(rotate(pixels, INFINITY), Error);
  EXPECT_THROW(erase(pixels, {.x = 1, .y = 0, .width = 8, .height = 1}, Color{}), Error);
  EXPECT_THROW(erase(pixels, {.x = -1, .y = 0, .width = 2, .height = 1}, Color{}), Error);
  EXPECT_THROW(erase(pixels, {.x = 0, .y = 0, .width = 2, .height = 1}, std::vector<Color>(3)), Error);
  EXPECT_EQ(image.rgb, before);
}

TEST(PixelOperations, RefuseAFrameWhoseBytesAreNotThoseOfItsSize) {
  auto torn = noisy_picture(8, 6, 0);
  torn.rgb.pop_back();
  EXPECT_THROW(view_of(torn), VideoError);
  Image empty;
  EXPECT_THROW(view_of(empty), VideoError);
}

}  // namespace
}  // namespace actionclip
