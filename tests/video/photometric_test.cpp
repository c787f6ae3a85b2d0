#include "actionclip/video/photometric.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "actionclip/core/error.h"

#include "tests/video/test_pictures.h"

namespace actionclip {
namespace {

using testing::expect_parity;
using testing::noisy_picture;
using testing::ParityCase;

RandomStream stream(RandomPurpose purpose, std::uint64_t index = 0) { return {7, purpose, 1, index}; }

std::string name_of(AugmentOperation operation) { return boost::describe::enum_to_string(operation, "?"); }

// torchvision's names.
const std::map<AugmentOperation, std::string> kNames{{AugmentOperation::identity, "Identity"},
                                                     {AugmentOperation::shear_x, "ShearX"},
                                                     {AugmentOperation::shear_y, "ShearY"},
                                                     {AugmentOperation::translate_x, "TranslateX"},
                                                     {AugmentOperation::translate_y, "TranslateY"},
                                                     {AugmentOperation::rotate, "Rotate"},
                                                     {AugmentOperation::brightness, "Brightness"},
                                                     {AugmentOperation::saturation, "Color"},
                                                     {AugmentOperation::contrast, "Contrast"},
                                                     {AugmentOperation::sharpness, "Sharpness"},
                                                     {AugmentOperation::posterize, "Posterize"},
                                                     {AugmentOperation::solarize, "Solarize"},
                                                     {AugmentOperation::autocontrast, "AutoContrast"},
                                                     {AugmentOperation::equalize, "Equalize"}};

TEST(RandAugment, HasTorchvisionsOperationsSignsAndMagnitudes) {
  constexpr std::int64_t kWidth = 340;
  constexpr std::int64_t kHeight = 256;
  std::istringstream table(run_python("photometric_reference.py",
                                      {"--magnitudes", std::to_string(kWidth), std::to_string(kHeight)}));
  auto operation = kNames.begin();
  for (std::string line; std::getline(table, line); ++operation) {
    ASSERT_NE(operation, kNames.end());
    std::istringstream words(line);
    std::string name;
    int has_sign = 0;
    words >> name >> has_sign;
    EXPECT_EQ(name, operation->second);
    EXPECT_EQ(is_signed(operation->first), has_sign == 1) << name;
    for (std::int64_t step = 0; step <= 30; ++step) {
      double value = NAN;
      words >> value;
      EXPECT_NEAR(augment_magnitude(operation->first, step, kWidth, kHeight), value, 1e-4)
          << name << ' ' << step;
    }
  }
  EXPECT_EQ(operation, kNames.end());
}

TEST(RandAugment, OperationsAtAMagnitudeAgreeWithTorchvision) {
  std::vector<ParityCase> cases;
  for (const auto& [operation, name] : kNames) {
    for (const double sign : {1.0, -1.0}) {
      if (sign < 0 && !is_signed(operation)) continue;
      for (const std::int64_t step : {0, 9, 17, 29}) {
        const DrawnOperation drawn{.operation = operation,
                                   .magnitude = sign * augment_magnitude(operation, step, 61, 47)};
        const bool slants = operation == AugmentOperation::rotate || operation == AugmentOperation::shear_x ||
                            operation == AugmentOperation::shear_y;
        cases.push_back({.name = "rand_augment/" + name,
                         .numbers = {drawn.magnitude},
                         .ours = [drawn](const PixelView& pixels) { apply(drawn, pixels); },
                         .differing_share = slants ? 1e-3 : 0});
      }
    }
  }
  expect_parity(cases, {noisy_picture(61, 47, 0), noisy_picture(9, 14, 1)});
}

TEST(RandAugment, DrawsEveryOperationAndBothSigns) {
  auto random = stream(RandomPurpose::kRandAugment);
  std::map<AugmentOperation, std::array<int, 2>> counts;
  constexpr int kDraws = 14000;
  for (const auto& drawn : draw_rand_augment({.operations = kDraws, .magnitude = 9}, 340, 256, random)) {
    ++counts[drawn.operation][drawn.magnitude < 0 ? 1 : 0];
    EXPECT_EQ(std::abs(drawn.magnitude), augment_magnitude(drawn.operation, 9, 340, 256));
  }
  for (const auto& [operation, name] : kNames) {
    const auto& [positive, negative] = counts[operation];
    EXPECT_NEAR(positive + negative, kDraws / 14, 150) << name;
    EXPECT_NEAR(negative, is_signed(operation) ? kDraws / 28 : 0, 100) << name_of(operation);
  }
}

std::vector<Image> equal_frames(std::size_t count) {
  return std::vector<Image>(count, noisy_picture(40, 30, 3));
}

std::set<std::string> different(const std::vector<Image>& frames) {
  std::set<std::string> bytes;
  for (const auto& frame : frames) bytes.emplace(frame.rgb.begin(), frame.rgb.end());
  return bytes;
}

TEST(RandAugment, TreatsAllFramesAlikeUnlessDrawnForEach) {
  bool differed = false;
  for (std::uint64_t i = 0; i < 8; ++i) {
    auto once = stream(RandomPurpose::kRandAugment, i);
    auto each = stream(RandomPurpose::kRandAugment, i);
    const auto clip = rand_augment(equal_frames(6), {.operations = 2}, once);
    const auto varied = rand_augment(equal_frames(6), {.operations = 2, .per_frame = true}, each);
    EXPECT_EQ(different(clip).size(), 1);
    EXPECT_EQ(clip[0].rgb, varied[0].rgb);
    differed = differed || different(varied).size() > 1;
  }
  EXPECT_TRUE(differed);
}

TEST(RandAugment, IsTheSameForTheSameStreamAndChangesFrames) {
  int changed = 0;
  for (std::uint64_t i = 0; i < 16; ++i) {
    auto first = stream(RandomPurpose::kRandAugment, i);
    auto second = stream(RandomPurpose::kRandAugment, i);
    const auto frames = rand_augment(equal_frames(2), {.operations = 2, .per_frame = true}, first);
    const auto again = rand_augment(equal_frames(2), {.operations = 2, .per_frame = true}, second);
    for (std::size_t t = 0; t < frames.size(); ++t) EXPECT_EQ(frames[t].rgb, again[t].rgb);
    changed += frames[0].rgb != equal_frames(1)[0].rgb ? 1 : 0;
  }
  EXPECT_GE(changed, 12);
}

TEST(RandAugment, OfNoOperationsLeavesFramesAndStreamAlone) {
  auto random = stream(RandomPurpose::kRandAugment);
  auto untouched = random;
  EXPECT_EQ(rand_augment(equal_frames(2), {.operations = 0}, random)[1].rgb, equal_frames(1)[0].rgb);
  EXPECT_EQ(random.next(), untouched.next());
  EXPECT_TRUE(rand_augment({}, {.operations = 2}, random).empty());
}

TEST(RandAugment, RefusesAFrameOfMissingBytes) {
  auto random = stream(RandomPurpose::kRandAugment);
  auto frames = equal_frames(2);
  frames[1].rgb.pop_back();
  EXPECT_THROW(rand_augment(frames, {.operations = 1}, random), VideoError);
}

// Frames of one picture in planes, and their view.
struct Clip {
  std::int64_t frames, width, height;
  std::vector<std::uint8_t> bytes;

  ClipView view() { return {.data = bytes.data(), .frames = frames, .height = height, .width = width}; }
  std::vector<std::uint8_t> frame(std::int64_t t) const {
    const auto size = 3 * width * height;
    return {bytes.begin() + t * size, bytes.begin() + (t + 1) * size};
  }
};

Clip equal_clip(std::int64_t frames) {
  const auto picture = noisy_picture(32, 32, 5);
  Clip clip{.frames = frames, .width = picture.width, .height = picture.height, .bytes = {}};
  const auto planes = testing::planes_of(picture);
  for (std::int64_t t = 0; t < frames; ++t) clip.bytes.insert(clip.bytes.end(), planes.begin(), planes.end());
  return clip;
}

TransformConfig everything() {
  TransformConfig config;
  config.color_jitter.probability = config.grayscale = config.blur.probability = config.solarize = 0.5;
  config.color_jitter.per_frame = true;
  return config;
}

Clip augmented(const TransformConfig& config, std::uint64_t index) {
  auto random = stream(RandomPurpose::kColor, index);
  auto clip = equal_clip(4);
  apply(draw_color(config, clip.frames, random), config.solarize_threshold, clip.view());
  return clip;
}

TEST(ColorAugment, IsTheSameForTheSameStream) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(augmented(everything(), i).bytes, augmented(everything(), i).bytes);
  }
}

TEST(ColorAugment, TreatsAllFramesAlikeUnlessDrawnForEach) {
  TransformConfig config;
  config.color_jitter.probability = config.blur.probability = 1;
  const auto clip = augmented(config, 0);
  EXPECT_NE(clip.frame(0), equal_clip(1).bytes);
  for (std::int64_t t = 1; t < clip.frames; ++t) EXPECT_EQ(clip.frame(t), clip.frame(0));
  config.color_jitter.per_frame = true;
  const auto varied = augmented(config, 0);
  EXPECT_EQ(varied.frame(0), clip.frame(0));
  for (std::int64_t t = 1; t < clip.frames; ++t) EXPECT_NE(varied.frame(t), varied.frame(0));
}

TEST(ColorAugment, OfNoChanceTouchesNothing) { EXPECT_EQ(augmented({}, 0).bytes, equal_clip(4).bytes); }

TEST(ColorAugment, OfNoStrengthTouchesNothing) {
  TransformConfig config;
  config.color_jitter = {.probability = 1, .brightness = 0, .contrast = 0, .saturation = 0, .hue = 0};
  EXPECT_EQ(augmented(config, 0).bytes, equal_clip(4).bytes);
}

TEST(ColorAugment, SwitchingOneOffLeavesTheOthersAsTheyWere) {
  for (std::uint64_t i = 0; i < 32; ++i) {
    const auto draw = [i](const TransformConfig& config) {
      auto random = stream(RandomPurpose::kColor, i);
      return draw_color(config, 4, random);
    };
    const auto all = draw(everything());
    auto config = everything();
    config.color_jitter.probability = config.blur.probability = 0;
    const auto some = draw(config);
    EXPECT_TRUE(some.jitter.empty());
    EXPECT_FALSE(some.blur_sigma);
    EXPECT_EQ(some.grayscale, all.grayscale);
    EXPECT_EQ(some.solarize, all.solarize);
    config = everything();
    config.grayscale = config.solarize = config.blur.probability = 1;
    const auto more = draw(config);
    ASSERT_EQ(more.jitter.size(), all.jitter.size());
    EXPECT_TRUE(all.jitter.empty() || more.jitter.back().hue == all.jitter.back().hue);
    EXPECT_TRUE(!all.blur_sigma || more.blur_sigma == all.blur_sigma);
  }
}

TEST(ColorAugment, OccursAsOftenAsAskedWithinItsRanges) {
  auto config = everything();
  config.color_jitter.probability = 0.8;
  config.grayscale = 0.2;
  constexpr int kClips = 2000;
  int jittered = 0, grey = 0, blurred = 0;
  std::set<std::vector<JitterStep>> orders;
  for (std::uint64_t i = 0; i < kClips; ++i) {
    auto random = stream(RandomPurpose::kColor, i);
    const auto drawn = draw_color(config, 1, random);
    grey += drawn.grayscale ? 1 : 0;
    blurred += drawn.blur_sigma ? 1 : 0;
    EXPECT_TRUE(!drawn.blur_sigma || (*drawn.blur_sigma >= 0.1 && *drawn.blur_sigma < 2));
    for (const auto& jitter : drawn.jitter) {
      ++jittered;
      orders.insert(jitter.order);
      EXPECT_LE(std::abs(jitter.brightness - 1), 0.4);
      EXPECT_LE(std::abs(jitter.contrast - 1), 0.4);
      EXPECT_LE(std::abs(jitter.saturation - 1), 0.2);
      EXPECT_LE(std::abs(jitter.hue), 0.1);
    }
  }
  EXPECT_NEAR(jittered, 0.8 * kClips, 80);
  EXPECT_NEAR(grey, 0.2 * kClips, 80);
  EXPECT_NEAR(blurred, 0.5 * kClips, 80);
  EXPECT_EQ(orders.size(), 24);
}

// Jitter, grey, blur, solarise: grey and an inverted threshold tell the order.
TEST(ColorAugment, SolarisesLastAndGreysBeforeTheBlur) {
  auto clip = equal_clip(1);
  auto expected = clip;
  apply({.jitter = {}, .grayscale = true, .blur_sigma = 1.5, .solarize = true}, 100, clip.view());
  const auto pixels = expected.view().frame(0);
  to_grayscale(pixels);
  gaussian_blur(pixels, 1.5);
  solarize(pixels, 100);
  EXPECT_EQ(clip.bytes, expected.bytes);
}

TEST(ColorAugment, JittersInTheDrawnOrder) {
  const DrawnJitter jitter{
      .order = {JitterStep::hue, JitterStep::contrast, JitterStep::brightness, JitterStep::saturation},
      .brightness = 1.3,
      .contrast = 0.7,
      .saturation = 1.2,
      .hue = 0.08};
  auto clip = equal_clip(1);
  auto expected = clip;
  apply({.jitter = {jitter}}, 128, clip.view());
  const auto pixels = expected.view().frame(0);
  adjust_hue(pixels, 0.08);
  adjust_contrast(pixels, 0.7);
  adjust_brightness(pixels, 1.3);
  adjust_saturation(pixels, 1.2);
  EXPECT_EQ(clip.bytes, expected.bytes);
}

TEST(RandomErase, DrawsRectanglesOfTheAskedAreaAndShapeInsideTheFrame) {
  const ErasingConfig config{.probability = 0.25};
  constexpr int kClips = 2000;
  constexpr std::int64_t kSide = 224;
  int erased = 0;
  for (std::uint64_t i = 0; i < kClips; ++i) {
    auto random = stream(RandomPurpose::kErasing, i);
    const auto drawn = draw_erasing(config, {}, kSide, kSide, random);
    if (!drawn) continue;
    ++erased;
    const auto& [x, y, width, height] = drawn->rectangle;
    EXPECT_TRUE(x >= 0 && y >= 0 && x + width <= kSide && y + height <= kSide);
    EXPECT_EQ(drawn->colors.size(), 1u);
    const double area = static_cast<double>(width * height) / (kSide * kSide);
    const double aspect = static_cast<double>(width) / static_cast<double>(height);
    EXPECT_TRUE(area > 0.018 && area < 0.34) << area;
    EXPECT_TRUE(aspect > 0.28 && aspect < 3.5) << aspect;
  }
  EXPECT_NEAR(erased, 0.25 * kClips, 80);
}

TEST(RandomErase, PaintsOneRectangleOfAllFramesWithOneColour) {
  auto clip = equal_clip(3);
  const auto before = clip;
  const Color mean{123, 117, 104};
  apply({.rectangle = {.x = 2, .y = 3, .width = 5, .height = 4}, .colors = {mean}}, clip.view());
  for (std::size_t i = 0; i < clip.bytes.size(); ++i) {
    const auto x = i % 32, y = i / 32 % 32, channel = i / (32 * 32) % 3;
    const bool inside = x >= 2 && x < 7 && y >= 3 && y < 7;
    ASSERT_EQ(clip.bytes[i], inside ? mean.at(channel) : before.bytes[i]) << i;
  }
}

TEST(RandomErase, TheColourIsTheMeanOfTheModelsInput) {
  auto random = stream(RandomPurpose::kErasing);
  const ErasingConfig config{.probability = 1};
  const auto of_clip = draw_erasing(config, {}, 224, 224, random);
  ASSERT_TRUE(of_clip);
  EXPECT_EQ(of_clip->colors, (std::vector<Color>{{123, 117, 104}}));
  const InputStatistics other{.mean = {0.5, 0, 1.0}, .std = {0.5, 0.5, 0.5}};
  const auto of_other = draw_erasing(config, other, 224, 224, random);
  ASSERT_TRUE(of_other);
  EXPECT_EQ(of_other->colors, (std::vector<Color>{{128, 0, 255}}));
}

TEST(RandomErase, NoiseHasTheMeanAndSpreadOfTheModelsInput) {
  auto random = stream(RandomPurpose::kErasing);
  const ErasingConfig config{.probability = 1, .area = {0.3, 0.33}, .noise = true};
  const InputStatistics input{.mean = {0.5, 0.4, 0.6}, .std = {0.1, 0.15, 0.05}};
  const auto drawn = draw_erasing(config, input, 224, 224, random);
  ASSERT_TRUE(drawn);
  const auto count = static_cast<double>(drawn->rectangle.width * drawn->rectangle.height);
  ASSERT_EQ(static_cast<double>(drawn->colors.size()), count);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0, squares = 0;
    for (const auto& color : drawn->colors) {
      sum += color.at(channel);
      squares += static_cast<double>(color.at(channel)) * color.at(channel);
    }
    const double mean = sum / count;
    EXPECT_NEAR(mean, 255 * input.mean.at(channel), 2);
    EXPECT_NEAR(std::sqrt(squares / count - mean * mean), 255 * input.std.at(channel), 2);
  }
  auto clip =
      Clip{.frames = 2, .width = 224, .height = 224, .bytes = std::vector<std::uint8_t>(2 * 3 * 224 * 224)};
  apply(*drawn, clip.view());
  EXPECT_EQ(clip.frame(0), clip.frame(1));
}

TEST(RandomErase, OfNoChanceOrOfNoRoomErasesNothing) {
  auto random = stream(RandomPurpose::kErasing);
  EXPECT_FALSE(draw_erasing({.probability = 0}, {}, 224, 224, random));
  EXPECT_FALSE(draw_erasing({.probability = 1, .area = {1, 1}}, {}, 224, 224, random));
}

}  // namespace
}  // namespace actionclip
