#include "actionclip/video/near_duplicates.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <tuple>

namespace actionclip {
namespace {

constexpr int kBands = 32;
constexpr int kBandBits = kHashBits / kBands;  // 16
constexpr int kBandsOfFrame = 64 / kBandBits;  // 4
constexpr std::size_t kBuckets = std::size_t{1} << kBandBits;
constexpr int kMaxRadius = 4 * kBands - 1;

// Band b is of frame b / 4: frames of a still camera repeat each other, so bits of several would tell nothing
// new. Of the 8 x 8 bits of a frame it takes two of each row, four apart and moved on by one from row to row,
// as neighbours too are alike.
std::uint32_t band_of(const VideoHash& hash, int band) {
  const std::uint64_t bits = hash.frames[static_cast<std::size_t>(band / kBandsOfFrame)];
  const int first = band % kBandsOfFrame;
  std::uint32_t key = 0;
  for (int row = 0; row < 8; ++row) {
    const int column = (first + row) % kBandsOfFrame;
    const auto of_row = static_cast<std::uint32_t>(bits >> (8 * row)) & 0xff;
    key = key << 2 | ((of_row >> column & 1) << 1) | (of_row >> (column + kBandsOfFrame) & 1);
  }
  return key;
}

// Indices by the value of a band: those of bucket b are items[starts[b]] to items[starts[b + 1]].
struct BandTable {
  std::vector<std::uint32_t> starts = std::vector<std::uint32_t>(kBuckets + 1);
  std::vector<std::uint32_t> items;

  BandTable(std::span<const VideoHash> hashes, const std::vector<std::uint32_t>& used, int band)
      : items(used.size()) {
    for (const auto i : used) ++starts[band_of(hashes[i], band) + 1];
    for (std::size_t b = 0; b < kBuckets; ++b) starts[b + 1] += starts[b];
    auto next = starts;
    for (const auto i : used) items[next[band_of(hashes[i], band)]++] = i;
  }
};

std::vector<std::uint32_t> not_blank(std::span<const VideoHash> hashes) {
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (!hashes[i].is_blank()) indices.push_back(static_cast<std::uint32_t>(i));
  }
  return indices;
}

// What turns a band into every other one that is at most `radius` bits from it, itself included.
std::vector<std::uint32_t> changes_within(int radius) {
  std::vector<std::uint32_t> changes;
  for (std::uint32_t change = 0; change < kBuckets; ++change) {
    if (std::popcount(change) <= radius) changes.push_back(change);
  }
  return changes;
}

std::tuple<std::int64_t, int, std::int64_t> order(const NearPair& pair) {
  return {pair.right, pair.distance, pair.left};
}

void keep_nearest(std::vector<NearPair>& pairs, std::int64_t most) {
  if (std::ssize(pairs) <= most) return;
  std::ranges::nth_element(pairs, pairs.begin() + most, {}, order);
  pairs.resize(static_cast<std::size_t>(most));
}

// Sorted, each pair once, and of each right one the `most` nearest.
std::vector<NearPair> nearest(std::vector<NearPair> pairs, std::int64_t most) {
  std::ranges::sort(pairs, {}, order);
  const auto repeated = std::ranges::unique(pairs, {}, order);
  pairs.erase(repeated.begin(), repeated.end());
  std::vector<NearPair> result;
  std::int64_t of_right = 0;
  for (const auto& pair : pairs) {
    of_right = result.empty() || result.back().right != pair.right ? 1 : of_right + 1;
    if (of_right <= most) result.push_back(pair);
  }
  return result;
}

}  // namespace

std::vector<NearPair> find_near_pairs(std::span<const VideoHash> left, std::span<const VideoHash> right,
                                      int radius, std::int64_t most) {
  if (radius < 0 || radius > kMaxRadius) throw std::invalid_argument("find_near_pairs: radius");
  const auto used = not_blank(left), asked = not_blank(right);
  const auto changes = changes_within(radius / kBands);
  std::vector<NearPair> pairs;
  std::vector<NearPair> of_right;
  for (int band = 0; band < kBands; ++band) {
    const BandTable table(left, used, band);
    for (const auto r : asked) {
      const auto own = band_of(right[r], band);
      of_right.clear();
      for (const auto change : changes) {
        const auto bucket = own ^ change;
        for (auto i = table.starts[bucket]; i < table.starts[bucket + 1]; ++i) {
          const int bits = distance(left[table.items[i]], right[r]);
          if (bits <= radius) of_right.push_back({table.items[i], r, bits});
        }
      }
      keep_nearest(of_right, most);  // a crowd of copies would fill the memory
      pairs.insert(pairs.end(), of_right.begin(), of_right.end());
    }
    pairs = nearest(std::move(pairs), most);  // most are found in several bands
  }
  return pairs;
}

}  // namespace actionclip
