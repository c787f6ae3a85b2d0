// What UCF101 and HMDB51 share: three official splits.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "video/prepare/plan.h"

namespace actionclip {

inline constexpr std::size_t kOfficialSplits = 3;

struct OfficialSplit {
  std::vector<NamedVideo> train;
  std::vector<NamedVideo> test;
};

// train_split1.txt, test_split1.txt and so on, and before them the first split as train.txt and val.txt. A
// split without videos (its files are not there) gives none. Throws Error if there is none at all, or one has
// only training or only test videos; `needs` says what was looked for.
std::vector<NamedList> lists_of_official_splits(const std::array<OfficialSplit, kOfficialSplits>& splits,
                                                const std::string& needs);

}  // namespace actionclip
