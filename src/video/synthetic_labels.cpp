#include "video/synthetic_labels.h"

#include <array>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr std::array<std::string_view, 5> kColourWords = {"red", "green", "blue", "yellow", "purple"};
constexpr std::array<std::string_view, 5> kShapeWords = {"arrow", "heart", "triangle", "moon", "star"};
constexpr std::array<std::string_view, 17> kMotionWords = {
    "moving left",
    "moving right",
    "moving down",
    "moving up",
    "shrinking",
    "growing",
    "turning counterclockwise",
    "turning clockwise",
    "fading out",
    "fading in",
    "circling counterclockwise",
    "circling clockwise",
    "zigzagging",
    "spiralling",
    "blinking",
    "pulsing",
    "wobbling",
};

// One pair of motions of each subject is held out, a second one of the four subjects on the diagonal. Spread
// so that no colour, shape or motion loses more than another (5 of 24 pairs a colour and a shape, 3 or 4 of
// 16 subjects a motion).
bool is_held_out(int colour, int shape, int pair) {
  constexpr std::array<int, kSyntheticColours> kSecondOnDiagonal = {4, 5, 1, 2};
  return pair == (colour + 2 * shape) % kSyntheticMotionPairs ||
         (colour == shape && pair == kSecondOnDiagonal[static_cast<std::size_t>(colour)]);
}

std::vector<SyntheticLabel> paired_labels(bool held_out) {
  std::vector<SyntheticLabel> labels;
  for (int colour = 0; colour < kSyntheticColours; ++colour) {
    for (int shape = 0; shape < kSyntheticShapes; ++shape) {
      for (int pair = 0; pair < kSyntheticMotionPairs; ++pair) {
        if (is_held_out(colour, shape, pair) != held_out) continue;
        const auto first = static_cast<std::int64_t>(labels.size());
        for (int side = 0; side < 2; ++side) {
          labels.push_back({static_cast<SyntheticColour>(colour), static_cast<SyntheticShape>(shape),
                            static_cast<SyntheticMotion>(2 * pair + side), first + 1 - side});
        }
      }
    }
  }
  return labels;
}

}  // namespace

std::string_view word(SyntheticColour colour) { return kColourWords.at(static_cast<std::size_t>(colour)); }
std::string_view word(SyntheticShape shape) { return kShapeWords.at(static_cast<std::size_t>(shape)); }
std::string_view words(SyntheticMotion motion) { return kMotionWords.at(static_cast<std::size_t>(motion)); }

std::string SyntheticLabel::sentence() const {
  return fmt::format("a {} {} {}", word(colour), word(shape), words(motion));
}

std::vector<SyntheticLabel> synthetic_train_labels() { return paired_labels(false); }

std::vector<SyntheticLabel> synthetic_zero_shot_labels() { return paired_labels(true); }

std::vector<SyntheticLabel> synthetic_few_shot_labels() {
  std::vector<SyntheticLabel> labels;
  const auto add_subject = [&](SyntheticColour colour, SyntheticShape shape) {
    for (int i = 0; i < kFewShotMotions; ++i) {
      const auto motion = static_cast<SyntheticMotion>(static_cast<int>(SyntheticMotion::kZigzagging) + i);
      labels.push_back({colour, shape, motion, static_cast<std::int64_t>(labels.size())});
    }
  };
  add_subject(SyntheticColour::kRed, SyntheticShape::kHeart);
  add_subject(SyntheticColour::kPurple, SyntheticShape::kStar);
  return labels;
}

}  // namespace actionclip
