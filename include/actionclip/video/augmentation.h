// Which rectangle of a frame a clip shows: the geometry of the transforms, in pixels. Torch-free; the pixels
// move in video/transforms.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actionclip/core/random.h"
#include "actionclip/video/config.h"

namespace actionclip {

// A rectangle of the frame, its upper left corner at (x, y), mirrored left to right if `flip`.
struct CropChoice {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool flip = false;

  bool operator==(const CropChoice&) const = default;
};

struct Size {
  std::int64_t width = 0;
  std::int64_t height = 0;

  bool operator==(const Size&) const = default;
};

// The width x height pairs that the multi-scale crop draws from (TSN): sides int(short side * scale), width
// and height at most one place apart in `scales`. A side less than 3 px from `input_size` becomes
// `input_size`, which saves the resize, unless the frame is smaller.
std::vector<Size> multi_scale_crop_sizes(std::int64_t width, std::int64_t height, std::int64_t input_size,
                                         std::span<const double> scales);

// Crop and flip of a training clip, as `config` (resolved) asks for.
// multi_scale: one of the sizes above at one of 13 fixed places: with the free space divided in quarters, the
// corners, the middles of the sides, the centre, and the four points half way between corners and centre.
// random_resized: torchvision's RandomResizedCrop: ten tries at an area in config.area (share of the frame)
// and a width / height in config.aspect (uniform in its logarithm), at any place; if none fits into the
// frame, the largest centred crop whose width / height lies in config.aspect.
// Throws Error on an empty frame; for multi_scale on no scales, or one outside (0, 1].
CropChoice choose_crop(std::int64_t width, std::int64_t height, const TransformConfig& config,
                       RandomStream& random);

// The frame's size after its short side became `short_side`: the long one is int(short_side * long / short),
// as torchvision rounds.
Size resized_size(std::int64_t width, std::int64_t height, std::int64_t short_side);

// Whether test_crops() knows so many crops.
bool is_crop_count(std::int64_t crops);

// Where the square test crops of side s = `input_size` lie in a frame of width x height.
//   1: the centre, at int(round((w - s) / 2)) with halves to even, as torchvision;
//   3: the beginning, the centre and the end of the long side, centred on the short one;
//   5: upper left, upper right, lower left, lower right, centre, as torchvision's FiveCrop;
//   10: those five, and then those of the mirrored frame (`flip` set), as torchvision's TenCrop.
// Throws Error if the frame is smaller than the crop, or for another number of crops.
std::vector<CropChoice> test_crops(std::int64_t width, std::int64_t height, std::int64_t input_size,
                                   std::int64_t crops);

// The smallest rectangle that holds all of `crops`, of which there must be one.
CropChoice smallest_around(std::span<const CropChoice> crops);

// What a test looks at of every frame: test_crops() of side `input_size`, once its short side is resized to
// `resize`.
struct TestView {
  std::int64_t resize = 0;  // 0: nothing is known, the whole frame
  std::int64_t input_size = 0;
  std::int64_t crops = 1;
};

// The pixels of a frame that make up what a test looks at: the crops and the reach of the bicubic filter. The
// whole frame where that is not known, or the crops do not fit.
CropChoice seen_part(Size frame, const TestView& view);

}  // namespace actionclip
