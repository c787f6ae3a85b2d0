#include "actionclip/video/video_hash.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr int kColumns = 9;  // of cells, upright
constexpr int kRows = 8;
constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kDigits = 16;  // of a frame's bits

// Cells differ by at least this share of a level of grey, or count as equal: on even ground what is left of
// the difference is the encoder's noise.
constexpr std::int64_t kOne = 256;  // a level
constexpr std::int64_t kLeastDifference = kOne / 2;

// A frame's cells by [row][column]: mean luma in units of 1 / kOne.
struct Cells {
  int columns;
  int rows;
  std::array<std::int64_t, kColumns * kColumns> means{};

  std::int64_t& at(int row, int column) { return means[static_cast<std::size_t>(row) * columns + column]; }
};

// Where cell i of n begins along a side of `length` pixels; of fewer pixels than cells, some have several
// cells.
std::int64_t cell_begin(int i, int n, std::int64_t length) { return length * i / n; }
std::int64_t cell_end(int i, int n, std::int64_t length) {
  return std::max(cell_begin(i, n, length) + 1, length * (i + 1) / n);
}

std::int64_t mean_of(const LumaPlane& luma, std::int64_t x0, std::int64_t x1, std::int64_t y0,
                     std::int64_t y1) {
  std::int64_t sum = 0;
  for (std::int64_t y = y0; y < y1; ++y) {
    const std::uint8_t* row = luma.pixels + y * luma.row_bytes;
    std::uint32_t part = 0;
    for (std::int64_t x = x0; x < x1; ++x) part += row[x];
    sum += part;
  }
  return sum * kOne / ((x1 - x0) * (y1 - y0));
}

Cells average(const LumaPlane& luma, bool transposed) {
  Cells cells{transposed ? kRows : kColumns, transposed ? kColumns : kRows, {}};
  for (int row = 0; row < cells.rows; ++row) {
    for (int column = 0; column < cells.columns; ++column) {
      cells.at(row, column) = mean_of(
          luma, cell_begin(column, cells.columns, luma.width), cell_end(column, cells.columns, luma.width),
          cell_begin(row, cells.rows, luma.height), cell_end(row, cells.rows, luma.height));
    }
  }
  return cells;
}

std::uint64_t bits_of(const LumaPlane& luma, const Turn& turn) {
  Cells stored = average(luma, turn.transpose);
  const auto upright = [&](int row, int column) {
    const int y = turn.flip_y ? kRows - 1 - row : row, x = turn.flip_x ? kColumns - 1 - column : column;
    return turn.transpose ? stored.at(x, y) : stored.at(y, x);
  };
  std::uint64_t bits = 0;
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column + 1 < kColumns; ++column) {
      const bool lighter = upright(row, column) >= upright(row, column + 1) + kLeastDifference;
      bits = bits << 1 | static_cast<std::uint64_t>(lighter);
    }
  }
  return bits;
}

}  // namespace

bool VideoHash::is_blank() const {
  constexpr int kLeast = kHashBits / 16;
  int set = 0;
  for (const auto bits : frames) set += std::popcount(bits);
  return set < kLeast || set > kHashBits - kLeast;
}

int distance(const VideoHash& left, const VideoHash& right) {
  int bits = 0;
  for (std::size_t i = 0; i < kHashFrames; ++i) bits += std::popcount(left.frames[i] ^ right.frames[i]);
  return bits;
}

std::string to_hex(const VideoHash& hash) {
  std::string text;
  for (const auto bits : hash.frames) text += fmt::format("{:016x}", bits);
  return text;
}

std::optional<VideoHash> parse_hash(std::string_view text) {
  VideoHash hash;
  if (text.size() != kDigits * kHashFrames) return std::nullopt;
  for (auto& bits : hash.frames) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + kDigits, bits, 16);
    if (code != std::errc() || end != text.data() + kDigits) return std::nullopt;
    text.remove_prefix(kDigits);
  }
  return hash;
}

void VideoHasher::add(const LumaPlane& luma, const Turn& turn) {
  const std::int64_t index = frame_count_++;
  if (index % stride_ != 0) return;
  if (kept_.size() == kMostKept) {
    for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
    kept_.resize(kMostKept / 2);
    stride_ *= 2;
    if (index % stride_ != 0) return;
  }
  kept_.push_back(bits_of(luma, turn));
}

VideoHash VideoHasher::hash() const {
  if (frame_count_ == 0) throw std::logic_error("VideoHasher: no frame to hash");
  VideoHash hash;
  for (std::size_t part = 0; part < kHashFrames; ++part) {
    const auto middle = frame_count_ * (2 * static_cast<std::int64_t>(part) + 1) /
                        (2 * static_cast<std::int64_t>(kHashFrames));
    hash.frames[part] = kept_[std::min(static_cast<std::size_t>(middle / stride_), kept_.size() - 1)];
  }
  return hash;
}

}  // namespace actionclip
