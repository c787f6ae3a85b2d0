// The words of the synthetic data: subjects, motions, label sentences, and which of them are held out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

enum class SyntheticColour { kRed, kGreen, kBlue, kYellow, kPurple };

// Shapes without rotational symmetry, so that every turn shows; the star (5-fold) occurs in few-shot alone.
enum class SyntheticShape { kArrow, kHeart, kTriangle, kMoon, kStar };

// The first twelve come in pairs (2k, 2k + 1), each the other's reversal in time.
enum class SyntheticMotion {
  kMovingLeft,
  kMovingRight,
  kMovingDown,
  kMovingUp,
  kShrinking,
  kGrowing,
  kTurningCounterclockwise,
  kTurningClockwise,
  kFadingOut,
  kFadingIn,
  kCirclingCounterclockwise,
  kCirclingClockwise,
  kZigzagging,
  kSpiralling,
  kBlinking,
  kPulsing,
  kWobbling,
};

inline constexpr int kSyntheticColours = 4;      // of training
inline constexpr int kSyntheticShapes = 4;       // of training
inline constexpr int kSyntheticMotionPairs = 6;  // of training
inline constexpr int kFewShotMotions = 5;

std::string_view word(SyntheticColour colour);
std::string_view word(SyntheticShape shape);
std::string_view words(SyntheticMotion motion);

struct SyntheticLabel {
  SyntheticColour colour;
  SyntheticShape shape;
  SyntheticMotion motion;
  std::int64_t pair;  // place in the same set of the label in reversed motion

  std::string sentence() const;  // "a red arrow moving left"
};

// The three label sets; a label's id is its place. Fixed: no seed changes them.
std::vector<SyntheticLabel> synthetic_train_labels();      // 152
std::vector<SyntheticLabel> synthetic_zero_shot_labels();  // 40
std::vector<SyntheticLabel> synthetic_few_shot_labels();   // 10

}  // namespace actionclip
