#include "video/frame_times.h"

#include <limits>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

constexpr double kEnd = std::numeric_limits<double>::infinity();

FrameTimes times_at(std::vector<std::int64_t> stamps) { return {std::move(stamps), {1, 10}}; }

void expect_span(const FrameTimes& times, TimeRange range, std::int64_t first, std::int64_t count) {
  const FrameSpan span = times.within(range);
  EXPECT_EQ(span.first, first) << range.start << " to " << range.end;
  EXPECT_EQ(span.count, count) << range.start << " to " << range.end;
}

TEST(FrameTimes, ARangeHoldsItsStartAndNotItsEnd) {
  const auto times = times_at({100, 101, 102, 103, 104});  // 0, 0.1 ... seconds
  expect_span(times, {0, kEnd}, 0, 5);
  expect_span(times, {0.1, 0.3}, 1, 2);
  expect_span(times, {0.05, 0.31}, 1, 3);
  expect_span(times, {-3, 0.1}, 0, 1);
  expect_span(times, {0.2, kEnd}, 2, 3);
}

TEST(FrameTimes, AnEmptyRangeHoldsTheFrameNearestToItsStart) {
  const auto times = times_at({0, 10, 20});
  expect_span(times, {0.4, 0.6}, 0, 1);
  expect_span(times, {0.6, 0.7}, 1, 1);
  expect_span(times, {0.5, 0.6}, 0, 1);  // as near to either: the earlier
  expect_span(times, {7, 9}, 2, 1);
  expect_span(times, {1, 1}, 1, 1);
  expect_span(times, {-2, -1}, 0, 1);
}

TEST(FrameTimes, BytesGiveThemBack) {
  for (const auto& stamps : {std::vector<std::int64_t>{7}, {0, 1, 2, 3, 4, 5}, {-5, 0, 40, 80, 81, 1000}}) {
    const auto times = times_at(stamps);
    const auto read = FrameTimes::from_bytes(times.to_bytes(), std::ssize(stamps));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->unit.num, 1);
    EXPECT_EQ(read->unit.den, 10);
    ASSERT_EQ(read->stamps.size(), stamps.size());
    for (std::size_t i = 0; i < stamps.size(); ++i) EXPECT_EQ(read->stamps[i], stamps[i] - stamps[0]);
  }
}

TEST(FrameTimes, EvenOnesTakeFewBytes) {
  FrameTimes times = times_at({});
  for (std::int64_t i = 0; i < 100'000; ++i) times.stamps.push_back(i * 512);
  EXPECT_LT(times.to_bytes().size(), 16u);
}

TEST(FrameTimes, OtherBytesAreRefused) {
  const std::string bytes = times_at({0, 1, 2, 5, 9}).to_bytes();
  EXPECT_TRUE(FrameTimes::from_bytes(bytes, 5));
  EXPECT_FALSE(FrameTimes::from_bytes(bytes, 4));
  EXPECT_FALSE(FrameTimes::from_bytes(bytes, 6));
  EXPECT_FALSE(FrameTimes::from_bytes("", 1));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_FALSE(FrameTimes::from_bytes(bytes.substr(0, i), 5)) << i;
}

}  // namespace
}  // namespace actionclip
