// Which clips a few-shot run trains on, and which pick its epoch.

#include "actionclip/protocols/shot_draw.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClasses = 3;
constexpr std::int64_t kClipsAClass = 16;

VideoList list_of_size(std::int64_t size) {
  DatasetConfig config;
  config.list.path = "train.txt";
  VideoList list(config);
  for (std::int64_t i = 0; i < size; ++i) {
    list.add(VideoEntry{.path = std::to_string(i), .label_ids = {static_cast<std::int32_t>(i % kClasses)}});
  }
  return list;
}

// The classes take turns.
VideoList list_of(std::int64_t clips_a_class) { return list_of_size(kClasses * clips_a_class); }

std::set<std::int64_t> as_set(const std::vector<std::int64_t>& indices) {
  return {indices.begin(), indices.end()};
}

TEST(ChooseShots, TakesKDifferentClipsOfEveryClass) {
  const auto list = list_of(kClipsAClass);
  for (const std::int64_t shots : {1, 4, 16}) {
    const auto chosen = choose_shots(list, kClasses, shots, /*seed=*/1);
    EXPECT_EQ(as_set(chosen).size(), chosen.size());
    std::vector<std::int64_t> counts(kClasses);
    for (const auto index : chosen) ++counts[list.label_id(index)];
    EXPECT_EQ(counts, std::vector<std::int64_t>(kClasses, shots));
  }
}

TEST(ChooseShots, ALargerKContainsTheClipsOfASmallerOne) {
  const auto list = list_of(kClipsAClass);
  for (const std::int64_t seed : {1, 2, 3}) {
    auto smaller = as_set(choose_shots(list, kClasses, 1, seed));
    for (const std::int64_t shots : {2, 4, 8, 16}) {
      const auto larger = as_set(choose_shots(list, kClasses, shots, seed));
      EXPECT_TRUE(std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end()));
      smaller = larger;
    }
  }
}

TEST(ChooseShots, TheSeedAloneDecides) {
  const auto list = list_of(kClipsAClass);
  EXPECT_EQ(choose_shots(list, kClasses, 4, 1), choose_shots(list, kClasses, 4, 1));
  EXPECT_NE(as_set(choose_shots(list, kClasses, 4, 1)), as_set(choose_shots(list, kClasses, 4, 2)));
}

TEST(ChooseDev, TakesOfEveryClassWhatNoNumberOfShotsTakes) {
  const auto list = list_of(kClipsAClass);
  for (const std::int64_t seed : {1, 2, 3}) {
    const auto dev = choose_dev(list, kClasses, /*shots=*/12, /*dev=*/4, seed);
    std::vector<std::int64_t> counts(kClasses);
    for (const auto index : dev) ++counts[list.label_id(index)];
    EXPECT_EQ(counts, std::vector<std::int64_t>(kClasses, 4));
    auto both = as_set(choose_shots(list, kClasses, 12, seed));
    both.insert(dev.begin(), dev.end());
    EXPECT_EQ(both.size(), 16u * kClasses) << "all clips, none in both";
  }
}

TEST(ChooseDev, IsTheSameForEveryKAndALargerPartContainsASmallerOne) {
  const auto list = list_of(kClipsAClass);
  EXPECT_EQ(choose_dev(list, kClasses, 1, 4, 1), choose_dev(list, kClasses, 12, 4, 1));
  EXPECT_NE(as_set(choose_dev(list, kClasses, 1, 4, 1)), as_set(choose_dev(list, kClasses, 1, 4, 2)));
  const auto smaller = as_set(choose_dev(list, kClasses, 1, 2, 1));
  const auto larger = as_set(choose_dev(list, kClasses, 1, 5, 1));
  EXPECT_TRUE(std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end()));
}

TEST(ChooseDev, NoneAreChosenOfNone) { EXPECT_TRUE(choose_dev(list_of(2), kClasses, 2, 0, 1).empty()); }

TEST(ChooseDev, AClassThatHasNotEnoughForBothIsNamed) {
  const auto list = list_of_size(6 * kClasses - 1);
  EXPECT_NO_THROW(choose_dev(list, kClasses, 3, 2, 1));
  try {
    choose_dev(list, kClasses, 4, 2, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("class 2 has 5 videos, 4 shots and 2 for the dev part need 6"));
  }
}

TEST(ChooseShots, AClassWithTooFewClipsIsNamed) {
  const auto list = list_of_size(2 * kClasses - 1);
  EXPECT_NO_THROW(choose_shots(list, kClasses, 1, 1));
  try {
    choose_shots(list, kClasses, 2, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("class 2"));
  }
}

TEST(ChooseShots, ALabelIdOutOfRangeIsNamedByItsLine) {
  for (const std::int64_t label_id : {std::int64_t{-1}, kClasses}) {
    auto list = list_of(2);
    list.add(VideoEntry{.path = "last", .label_ids = {static_cast<std::int32_t>(label_id)}, .line = 7});
    try {
      choose_shots(list, kClasses, 1, 1);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("train.txt:7: label id " + std::to_string(label_id)));
    }
  }
}

}  // namespace
}  // namespace actionclip
