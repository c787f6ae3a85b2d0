// What normalize.cu and the loop of the CPU have in common: which byte a pixel comes from, what the byte
// becomes, and how a row is written. Free of libtorch and of CUDA's headers.
//
// A channel's byte has 256 values, so that what they become is a table. Its entries are computed with
// operations that IEEE 754 rounds exactly (two divisions, a subtraction; no fused multiply-add), hence are
// the same bits on the CPU, on every GPU and in libtorch's own expression.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifdef __CUDACC__
#define ACTIONCLIP_HOST_DEVICE __host__ __device__
#else
#define ACTIONCLIP_HOST_DEVICE
#endif

namespace actionclip::detail {

constexpr int kChannels = 3;
constexpr int kByteValues = 256;

// Frames, and pixels of a side, that a task may have at most: indices below it, rounded up to a group, are
// int32.
constexpr std::int32_t kMostOfASide = 1 << 30;

// Where the crop of a frame begins, in pixels, and whether it is mirrored left to right.
struct Placement {
  std::int32_t x = 0;
  std::int32_t y = 0;
  std::int32_t mirrored = 0;
};

// frames [count, 3, height, width] -> out [count, 3, out_height, out_width], both contiguous.
struct NormalizeTask {
  const std::uint8_t* frames = nullptr;
  void* out = nullptr;
  std::int32_t count = 0;
  std::int32_t height = 0, width = 0;
  std::int32_t out_height = 0, out_width = 0;
  const Placement* placements = nullptr;  // null: (0, 0), not mirrored, for every frame
  std::int32_t frames_each = 1;           // that one placement serves
  float mean[kChannels] = {};
  float std[kChannels] = {};
};

ACTIONCLIP_HOST_DEVICE inline float normalized(int byte, float mean, float std) {
#ifdef __CUDA_ARCH__
  // Whatever the compiler's options say of division and contraction.
  return __fdiv_rn(__fsub_rn(__fdiv_rn(static_cast<float>(byte), 255.0F), mean), std);
#else
  return (static_cast<float>(byte) / 255.0F - mean) / std;
#endif
}

// A row of a channel of a frame's crop. T is what pixels become.
template <typename T>
struct PixelRow {
  const std::uint8_t* source = nullptr;  // [width]
  T* out = nullptr;                      // [width]
  const T* values = nullptr;             // [256]: what the channel's bytes become
  std::int32_t width = 0;
  bool mirrored = false;
};

ACTIONCLIP_HOST_DEVICE inline Placement placement_of(const NormalizeTask& task, std::int32_t frame) {
  return task.placements == nullptr ? Placement{} : task.placements[frame / task.frames_each];
}

template <typename T>
ACTIONCLIP_HOST_DEVICE inline PixelRow<T> pixel_row(const NormalizeTask& task, const T* values,
                                                    Placement place, std::int32_t frame, int channel,
                                                    std::int32_t y) {
  const std::int64_t plane = static_cast<std::int64_t>(frame) * kChannels + channel;
  PixelRow<T> row;
  row.source = task.frames + (plane * task.height + place.y + y) * task.width + place.x;
  row.out = static_cast<T*>(task.out) + (plane * task.out_height + y) * task.out_width;
  row.values = values;
  row.width = task.out_width;
  row.mirrored = place.mirrored != 0;
  return row;
}

// Rows are written in groups of 16 bytes that begin at addresses divisible by 16; the first and the last may
// be only partly in the row.
constexpr int kGroupBytes = 16;
template <typename T>
constexpr int kGroup = kGroupBytes / static_cast<int>(sizeof(T));  // pixels

// Pixels of the first group that lie before the row.
template <typename T>
ACTIONCLIP_HOST_DEVICE inline std::int32_t pixels_before(const PixelRow<T>& row) {
  return static_cast<std::int32_t>(reinterpret_cast<std::uintptr_t>(row.out) % kGroupBytes / sizeof(T));
}

template <typename T>
ACTIONCLIP_HOST_DEVICE inline std::int32_t count_groups(const PixelRow<T>& row) {
  return (pixels_before(row) + row.width + kGroup<T> - 1) / kGroup<T>;
}

// The bytes of a whole group as a number, the first of them its lowest byte.
static_assert(std::endian::native == std::endian::little);
template <typename T>
using GroupWord = std::conditional_t<kGroup<T> == 4, std::uint32_t, std::uint64_t>;

// Crops begin anywhere, and a GPU reads words from their own boundaries only.
template <typename Word>
ACTIONCLIP_HOST_DEVICE inline Word load_word(const std::uint8_t* from) {
#ifdef __CUDA_ARCH__
  if (reinterpret_cast<std::uintptr_t>(from) % sizeof(Word) == 0) return *reinterpret_cast<const Word*>(from);
  Word word = 0;
  for (int i = 0; i < static_cast<int>(sizeof(Word)); ++i) word |= static_cast<Word>(from[i]) << (8 * i);
#else
  Word word;
  std::memcpy(&word, from, sizeof word);
#endif
  return word;
}

ACTIONCLIP_HOST_DEVICE inline std::uint32_t reversed_bytes(std::uint32_t word) {
#ifdef __CUDA_ARCH__
  return __byte_perm(word, 0, 0x0123);
#else
  return __builtin_bswap32(word);
#endif
}

ACTIONCLIP_HOST_DEVICE inline std::uint64_t reversed_bytes(std::uint64_t word) {
  const auto low = static_cast<std::uint32_t>(word), high = static_cast<std::uint32_t>(word >> 32);
  return static_cast<std::uint64_t>(reversed_bytes(low)) << 32 | reversed_bytes(high);
}

// Pixels `first` to `first` + kGroup - 1.
template <typename T>
ACTIONCLIP_HOST_DEVICE inline void write_whole_group(const PixelRow<T>& row, std::int32_t first) {
  struct alignas(kGroupBytes) Group {
    T pixels[kGroup<T>];
  };
  const std::int32_t begin = row.mirrored ? row.width - kGroup<T> - first : first;
  auto word = load_word<GroupWord<T>>(row.source + begin);
  if (row.mirrored) word = reversed_bytes(word);
  Group group;
  for (int i = 0; i < kGroup<T>; ++i) group.pixels[i] = row.values[word >> (8 * i) & 0xff];
#ifdef __CUDA_ARCH__
  *reinterpret_cast<Group*>(row.out + first) = group;  // one instruction
#else
  std::memcpy(row.out + first, &group, sizeof group);
#endif
}

template <typename T>
ACTIONCLIP_HOST_DEVICE inline void write_group(const PixelRow<T>& row, std::int32_t group) {
  const std::int32_t first = group * kGroup<T> - pixels_before(row);
  if (first >= 0 && first + kGroup<T> <= row.width) return write_whole_group(row, first);
  for (std::int32_t x = first < 0 ? 0 : first; x < first + kGroup<T> && x < row.width; ++x)
    row.out[x] = row.values[row.source[row.mirrored ? row.width - 1 - x : x]];
}

}  // namespace actionclip::detail
