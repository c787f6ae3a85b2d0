// The similarity of a video's frames to its most probable labels over time, as a picture. Torch-free.
#pragma once

#include <cstddef>
#include <string>

#include "actionclip/eval/explanation.h"

namespace actionclip {

inline constexpr std::size_t kPlottedLabels = 5;

// An SVG picture that needs nothing else, light or dark as its reader likes it: a line for each of the first
// `labels` labels (at most kPlottedLabels) over the seconds, or where these are not known the frame numbers
// of the video; the moment of each label filled, and the frame that decided marked. There must be a frame.
std::string similarity_svg(const Explanation& explanation, std::size_t labels = kPlottedLabels);

}  // namespace actionclip
