// Heat maps drawn over frames, for people to look at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actionclip/video/image.h"

namespace actionclip {

// Values on rows x columns places of an image, row by row.
struct HeatMap {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;
};

// What is drawn cold and hot.
struct HeatRange {
  float cold = 0;
  float hot = 0;
};

// One range for all the maps of a video, so that its frames can be compared: from the smallest value to the
// one that a hundredth of them exceed, as a few places often stand out by far. Values that are not finite do
// not count.
HeatRange heat_range(std::span<const HeatMap> maps);

// `frame` with the map over it, smoothly scaled to its size: cold places are dimmed, hot ones glow. Of an
// empty range all is cold.
Image draw_heat_map(const Image& frame, const HeatMap& map, const HeatRange& range);

}  // namespace actionclip
