// Scores over the number of clips a class, as a picture. Torch-free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace actionclip {

struct CurvePoint {
  std::int64_t shots = 0;
  double score = 0;              // percent
  std::optional<double> margin;  // half the width of its interval; none: not known
};

struct ScoreCurve {
  std::string name;                // for the legend
  std::vector<CurvePoint> points;  // of growing shots, the same for all curves of a picture
};

// An SVG file of its own: a line a curve with its intervals as bars, shots at equal distances. Its colours
// follow the light or dark setting of who looks at it. Throws std::invalid_argument without a point.
std::string score_curve_svg(const std::string& title, const std::vector<ScoreCurve>& curves);

}  // namespace actionclip
