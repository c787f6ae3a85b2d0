#include "actionclip/protocols/shot_draw.h"

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

namespace actionclip {
namespace {

using Indices = std::vector<std::int64_t>;

// The videos of each class, in the order in which they are drawn.
std::vector<Indices> draw_order(const VideoList& list, std::int64_t classes, std::int64_t seed) {
  std::vector<Indices> by_class(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto label_id = list.label_id(i);
    if (label_id < 0 || label_id >= classes) {
      throw Error(fmt::format("{}:{}: label id {} is not in 0..{}", list.file().string(), list.line(i),
                              label_id, classes - 1));
    }
    by_class[static_cast<std::size_t>(label_id)].push_back(i);
  }
  for (std::size_t label_id = 0; label_id < by_class.size(); ++label_id) {
    RandomStream(static_cast<std::uint64_t>(seed), RandomPurpose::kFewShot, label_id)
        .shuffle(by_class[label_id]);
  }
  return by_class;
}

[[noreturn]] void fail_of_class(const VideoList& list, std::size_t label_id, std::size_t videos,
                                const std::string& need) {
  throw Error(fmt::format("{}: class {} has {} videos, {}", list.file().string(), label_id, videos, need));
}

}  // namespace

std::vector<std::int64_t> choose_shots(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                       std::int64_t seed) {
  const auto by_class = draw_order(list, classes, seed);
  Indices chosen;
  for (std::size_t label_id = 0; label_id < by_class.size(); ++label_id) {
    const auto& members = by_class[label_id];
    if (std::ssize(members) < shots)
      fail_of_class(list, label_id, members.size(), fmt::format("{} shots need as many", shots));
    chosen.insert(chosen.end(), members.begin(), members.begin() + shots);
  }
  return chosen;
}

std::vector<std::int64_t> choose_dev(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                     std::int64_t dev, std::int64_t seed) {
  const auto by_class = draw_order(list, classes, seed);
  Indices chosen;
  for (std::size_t label_id = 0; label_id < by_class.size(); ++label_id) {
    const auto& members = by_class[label_id];
    if (std::ssize(members) < shots + dev) {
      fail_of_class(list, label_id, members.size(),
                    fmt::format("{} shots and {} for the dev part need {}", shots, dev, shots + dev));
    }
    chosen.insert(chosen.end(), members.rbegin(), members.rbegin() + dev);
  }
  return chosen;
}

}  // namespace actionclip
