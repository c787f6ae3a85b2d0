#include "video/prepare/official_splits.h"

#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// One half alone: a file was not unpacked, or is empty.
void check_halves(const OfficialSplit& split, std::size_t number, const std::string& needs) {
  if (split.train.empty() == split.test.empty()) return;
  throw Error(fmt::format("the annotations of split {} name no {} videos; a file is missing ({})", number,
                          split.train.empty() ? "training" : "test", needs));
}

}  // namespace

std::vector<NamedList> lists_of_official_splits(const std::array<OfficialSplit, kOfficialSplits>& splits,
                                                const std::string& needs) {
  std::vector<NamedList> lists;
  const auto add = [&](std::string file, std::string split, const std::vector<NamedVideo>& videos) {
    if (!videos.empty()) lists.push_back({std::move(file), std::move(split), videos});
  };
  for (std::size_t i = 0; i < splits.size(); ++i) check_halves(splits[i], i + 1, needs);
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
