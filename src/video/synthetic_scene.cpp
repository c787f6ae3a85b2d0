#include "video/synthetic_scene.h"

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace actionclip {
namespace {

constexpr int kGrainSide = 256;

// Hue in degrees, saturation and value in [0, 1] to RGB in [0, 255].
cv::Vec3f rgb_of(double hue, double saturation, double value) {
  const cv::Mat hsv(1, 1, CV_32FC3, cv::Scalar(std::fmod(hue + 360, 360), saturation, value));
  cv::Mat rgb;
  cv::cvtColor(hsv, rgb, cv::COLOR_HSV2RGB);
  return rgb.at<cv::Vec3f>(0, 0) * 255.0f;
}

cv::Vec3f random_shape_colour(SyntheticColour colour, RandomStream& random) {
  constexpr std::array<double, 5> kHues = {0, 125, 222, 55, 290};
  const double hue = kHues.at(static_cast<std::size_t>(colour)) + random.uniform(-8, 8);
  const double saturation = random.uniform(0.8, 1.0);
  return rgb_of(hue, saturation, random.uniform(0.75, 1.0));
}

// Greyish, so that no background looks like a shape.
cv::Vec3f random_dull_colour(RandomStream& random) {
  const double hue = random.uniform(0, 360);
  const double saturation = random.uniform(0, 0.25);
  return rgb_of(hue, saturation, random.uniform(0.12, 0.8));
}

// In [-1, 1], [side, side]: soft blobs, stripes or checks.
cv::Mat random_texture(int side, RandomStream& random) {
  cv::Mat texture(side, side, CV_32F);
  const auto kind = random.below(3);
  if (kind == 0) {
    const int cells = static_cast<int>(3 + random.below(6));
    cv::Mat coarse(cells, cells, CV_32F);
    for (auto& value : cv::Mat_<float>(coarse)) value = static_cast<float>(random.uniform(-1, 1));
    cv::resize(coarse, texture, texture.size(), 0, 0, cv::INTER_CUBIC);
    return texture;
  }
  const double turn = random.uniform(0, std::numbers::pi);
  const double waves = random.uniform(2, 7) * 2 * std::numbers::pi / side;
  const double phase = random.uniform(0, 2 * std::numbers::pi);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double along = std::sin(waves * (x * std::cos(turn) + y * std::sin(turn)) + phase);
      const double across = std::sin(waves * (y * std::cos(turn) - x * std::sin(turn)) + phase);
      texture.at<float>(y, x) = static_cast<float>(kind == 1 ? along : (along * across > 0 ? 0.6 : -0.6));
    }
  }
  return texture;
}

cv::Mat random_background(int side, RandomStream& random) {
  const cv::Vec3f first = random_dull_colour(random);
  const cv::Vec3f second = random_dull_colour(random);
  const double turn = random.uniform(0, 2 * std::numbers::pi);
  const cv::Mat texture = random_texture(side, random);
  const auto contrast = static_cast<float>(random.uniform(0, 12));
  cv::Mat background(side, side, CV_32FC3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double u = (x + 0.5) / side - 0.5, v = (y + 0.5) / side - 0.5;
      const auto share = static_cast<float>(0.5 + 0.7 * (u * std::cos(turn) + v * std::sin(turn)));
      const float grey = contrast * texture.at<float>(y, x);
      background.at<cv::Vec3f>(y, x) = first + (second - first) * share + cv::Vec3f(grey, grey, grey);
    }
  }
  const auto distractors = random.below(3);
  for (std::int64_t i = 0; i < distractors; ++i) {
    // One draw a statement: the order in which arguments are evaluated differs between compilers.
    const auto x = static_cast<int>(random.below(side)), y = static_cast<int>(random.below(side));
    const auto length = [&] { return static_cast<int>(1 + random.below(side / 10)); };
    const int width = length(), height = length();
    const cv::Vec3f colour = random_dull_colour(random);
    cv::ellipse(background, {x, y}, {width, height}, random.uniform(0, 180), 0, 360, cv::Scalar(colour), -1);
  }
  return background;
}

using Outline = std::vector<cv::Point2d>;

// A heart's usual parametric curve, its tip up.
Outline heart() {
  Outline outline;
  for (int i = 0; i < 40; ++i) {
    const double t = 2 * std::numbers::pi * i / 40;
    const double height = 13 * std::cos(t) - 5 * std::cos(2 * t) - 2 * std::cos(3 * t) - std::cos(4 * t);
    outline.emplace_back(std::pow(std::sin(t), 3), (height + 2) / 16);
  }
  return outline;
}

// A disc without a smaller one that overlaps it from above: horns up.
Outline moon() {
  constexpr double kInner = 0.8, kShift = 0.3;
  const double horn_y = (kInner * kInner - 1 - kShift * kShift) / (2 * kShift);
  const double outer_from = std::asin(horn_y);
  const double inner_from = std::asin((horn_y + kShift) / kInner);
  Outline outline;
  for (int i = 0; i <= 24; ++i) {
    const double angle = outer_from + (std::numbers::pi - 2 * outer_from) * i / 24;
    outline.emplace_back(std::cos(angle), std::sin(angle) - 0.2);
  }
  for (int i = 0; i <= 24; ++i) {
    const double angle = std::numbers::pi - inner_from - (std::numbers::pi - 2 * inner_from) * i / 24;
    outline.emplace_back(kInner * std::cos(angle), kInner * std::sin(angle) - kShift - 0.2);
  }
  return outline;
}

// Hollow, the hole reached by a cut without width.
Outline triangle() {
  return {{0, -1}, {0.9, 0.8}, {-0.9, 0.8}, {0, -1}, {0, -0.2}, {-0.42, 0.48}, {0.42, 0.48}, {0, -0.2}};
}

Outline star() {
  Outline outline;
  for (int i = 0; i < 10; ++i) {
    const double angle = std::numbers::pi * i / 5, reach = i % 2 == 0 ? 1.0 : 0.42;
    outline.emplace_back(reach * std::sin(angle), -reach * std::cos(angle));
  }
  return outline;
}

// About the origin, within a distance of about 1, pointing up (y is down).
const Outline& outline_of(SyntheticShape shape) {
  static const std::array<Outline, 5> outlines = {
      Outline{{0, -1}, {0.6, -0.3}, {0.18, -0.3}, {0.18, 1}, {-0.18, 1}, {-0.18, -0.3}, {-0.6, -0.3}},
      heart(),
      triangle(),
      moon(),
      star(),
  };
  return outlines.at(static_cast<std::size_t>(shape));
}

// How much of each pixel the shape covers, 0 to 255.
cv::Mat coverage(SyntheticShape shape, const Pose& pose, int side) {
  constexpr int kFractionBits = 4;  // of fillPoly's coordinates
  std::vector<cv::Point> corners;
  for (const auto& point : outline_of(shape)) {
    const double x = point.x * std::cos(pose.angle) - point.y * std::sin(pose.angle);
    const double y = point.x * std::sin(pose.angle) + point.y * std::cos(pose.angle);
    const auto pixel = [&](double centre, double offset) {
      return static_cast<int>(
          std::lround(((centre + pose.size * offset) * side - 0.5) * (1 << kFractionBits)));
    };
    corners.emplace_back(pixel(pose.x, x), pixel(pose.y, y));
  }
  cv::Mat mask = cv::Mat::zeros(side, side, CV_8U);
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{corners}, cv::Scalar(255), cv::LINE_AA,
               kFractionBits);
  return mask;
}

}  // namespace

cv::Mat random_grain(std::uint64_t seed) {
  RandomStream random(seed, RandomPurpose::kSynthetic, 0, 0);
  cv::Mat grain(kGrainSide, kGrainSide, CV_32FC3);
  for (auto& value : cv::Mat_<cv::Vec3f>(grain)) {
    for (int channel = 0; channel < 3; ++channel) value[channel] = static_cast<float>(random.normal());
  }
  return grain;
}

SyntheticScene::SyntheticScene(SyntheticColour colour, SyntheticShape shape, int frame_size,
                               const cv::Mat& grain, RandomStream& random)
    : shape_(shape),
      colour_(random_shape_colour(colour, random)),
      background_(random_background(frame_size, random)),
      grain_(grain),
      grain_strength_(static_cast<float>(random.uniform(0, 5))) {}

Image SyntheticScene::draw(const Pose& pose, RandomStream& random) const {
  const int side = background_.rows;
  const cv::Mat mask = coverage(shape_, pose, side);
  const auto left = static_cast<int>(random.below(kGrainSide)),
             top = static_cast<int>(random.below(kGrainSide));
  Image image{side, side, {}};
  image.rgb.reserve(static_cast<std::size_t>(side) * side * 3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const cv::Vec3f& behind = background_.at<cv::Vec3f>(y, x);
      const float share =
          static_cast<float>(pose.opacity) * static_cast<float>(mask.at<std::uint8_t>(y, x)) / 255.0f;
      const cv::Vec3f& noise = grain_.at<cv::Vec3f>((y + top) % kGrainSide, (x + left) % kGrainSide);
      const cv::Vec3f colour = behind + (colour_ - behind) * share + noise * grain_strength_;
      for (int channel = 0; channel < 3; ++channel) {
        image.rgb.push_back(cv::saturate_cast<std::uint8_t>(colour[channel]));
      }
    }
  }
  return image;
}

}  // namespace actionclip
