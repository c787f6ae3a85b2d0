#include "video/frame_times.h"

#include <algorithm>
#include <functional>

#include "video/varint.h"

namespace actionclip {

bool FrameTimes::are_sound() const {
  const auto is_believable = [](std::int64_t stamp) { return stamp > -kMaxStamp && stamp < kMaxStamp; };
  return !stamps.empty() && std::all_of(stamps.begin(), stamps.end(), is_believable) &&
         std::adjacent_find(stamps.begin(), stamps.end(), std::greater_equal<>()) == stamps.end();
}

FrameSpan FrameTimes::within(const TimeRange& range) const {
  const auto is_before = [&](std::int64_t stamp, double time) { return seconds(stamp) < time; };
  const auto first = std::lower_bound(stamps.begin(), stamps.end(), range.start, is_before);
  const auto end = std::lower_bound(first, stamps.end(), range.end, is_before);
  const std::int64_t index = first - stamps.begin();
  if (end > first) return {index, end - first};
  if (first == stamps.begin()) return {0, 1};
  const bool later_is_nearer =
      first != stamps.end() && seconds(*first) - range.start < range.start - seconds(*(first - 1));
  return {later_is_nearer ? index : index - 1, 1};
}

std::string FrameTimes::to_bytes() const {
  std::string bytes;
  put_number(bytes, unit.num);
  put_number(bytes, unit.den);
  for (std::size_t i = 1; i < stamps.size();) {
    const std::int64_t distance = stamps[i] - stamps[i - 1];
    std::size_t end = i + 1;
    while (end < stamps.size() && stamps[end] - stamps[end - 1] == distance) ++end;
    put_number(bytes, distance);
    put_number(bytes, static_cast<std::int64_t>(end - i));
    i = end;
  }
  return bytes;
}

std::optional<FrameTimes> FrameTimes::from_bytes(std::string_view bytes, std::int64_t count) {
  FrameTimes times;
  times.unit.num = static_cast<int>(take_number(bytes));
  times.unit.den = static_cast<int>(take_number(bytes));
  if (times.unit.num <= 0 || times.unit.den <= 0 || count < 1) return std::nullopt;
  times.stamps.push_back(0);
  while (!bytes.empty()) {
    const std::int64_t distance = take_number(bytes);
    const std::int64_t run = take_number(bytes);
    if (distance <= 0 || distance > kMaxStamp / count || run <= 0 || run > count - std::ssize(times.stamps))
      return std::nullopt;
    for (std::int64_t i = 0; i < run; ++i) times.stamps.push_back(times.stamps.back() + distance);
  }
  if (std::ssize(times.stamps) != count) return std::nullopt;
  return times;
}

}  // namespace actionclip
