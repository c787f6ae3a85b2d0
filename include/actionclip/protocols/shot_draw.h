// Which of a list's videos a few-shot run trains on, and which of the others pick its epoch. Torch-free.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/video/video_list.h"

namespace actionclip {

// The K clips of each class, as indices into the list, drawn by (seed, class): a larger K contains a smaller
// one's clips. Throws Error naming a class that has fewer than K, or a line whose label id is not in
// [0, classes).
std::vector<std::int64_t> choose_shots(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                       std::int64_t seed);

// The dev part of a seed, `dev` clips of each class, the same for every K: from the other end of the order in
// which choose_shots() takes a class's clips, so that a larger part contains a smaller one, and none of the
// first `shots` is in it. Throws Error as choose_shots() does, and naming a class that has fewer than
// shots + dev.
std::vector<std::int64_t> choose_dev(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                     std::int64_t dev, std::int64_t seed);

}  // namespace actionclip
