#include "video/prepare/official_splits.h"

#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

std::vector<NamedList> lists_of_official_splits(const std::array<OfficialSplit, kOfficialSplits>& splits,
                                                const std::string& needs) {
  std::vector<NamedList> lists;
  const auto add = [&](std::string file, std::string split, const std::vector<NamedVideo>& videos) {
    if (!videos.empty()) lists.push_back({std::move(file), std::move(split), videos});
  };
  add("train.txt", "train, split 1", splits[0].train);
  add("val.txt", "test, split 1", splits[0].test);
  for (std::size_t i = 0; i < splits.size(); ++i) {
    add(fmt::format("train_split{}.txt", i + 1), fmt::format("train, split {}", i + 1), splits[i].train);
    add(fmt::format("test_split{}.txt", i + 1), fmt::format("test, split {}", i + 1), splits[i].test);
  }
  if (lists.empty()) throw Error(fmt::format("found no annotations: {} are needed (--annotations)", needs));
  return lists;
}

}  // namespace actionclip
