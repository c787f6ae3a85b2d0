// The videos of one collection that look like those of another. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actionclip/video/video_hash.h"

namespace actionclip {

struct NearPair {
  std::int64_t left = 0;  // index in the first collection
  std::int64_t right = 0;
  int distance = 0;
};

// The pairs at most `radius` bits apart, for each of `right` the `most` nearest; by right, then distance,
// then left. Blank hashes (VideoHash::is_blank) have none.
//
// Multi-index hashing (Norouzi et al. 2012): the bits are dealt into 32 bands of 16; hashes that differ in at
// most `radius` bits differ in at most radius / 32 of some band, so only the hashes that share such a band
// are compared. Exact. Throws std::invalid_argument for a radius outside [0, 127]: beyond it, comparing all
// is faster.
std::vector<NearPair> find_near_pairs(std::span<const VideoHash> left, std::span<const VideoHash> right,
                                      int radius, std::int64_t most);

}  // namespace actionclip
