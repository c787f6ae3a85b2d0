// With AVX2's own functions, as what GCC makes of plain loops keeps the sums in memory, not in registers: a
// third of the speed.
#include "video/weighted_sums.h"

#include <algorithm>
#include <array>

#include "video/resample_weights.h"
#include "video/vector_clones.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace actionclip {
namespace {

constexpr std::int32_t kRounding = 1 << (kWeightBits - 1);

#ifdef __x86_64__

// Eight bytes from `bytes` on, times `weight`, added to `sum`.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i add(__m256i sum, const std::uint8_t* bytes,
                                                               __m256i weight) {
  const __m256i values = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
  return _mm256_add_epi32(sum, _mm256_mullo_epi32(values, weight));
}

[[gnu::target("avx2")]] void add_weighted_avx2(std::span<const std::uint8_t* const> sources,
                                               const std::int32_t* weights, std::int64_t n,
                                               std::uint8_t* out) {
  // Packing works within halves of a register: what lies where behind both.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (std::int64_t i = 0; i < n; i += kSumBlock) {
    __m256i a = _mm256_set1_epi32(kRounding), b = a, c = a, d = a;
    for (std::size_t k = 0; k < sources.size(); ++k) {
      const std::uint8_t* const bytes = sources[k] + i;
      const __m256i weight = _mm256_set1_epi32(weights[k]);
      a = add(a, bytes, weight);
      b = add(b, bytes + 8, weight);
      c = add(c, bytes + 16, weight);
      d = add(d, bytes + 24, weight);
    }
    // Both packings clamp.
    const __m256i ab =
        _mm256_packs_epi32(_mm256_srai_epi32(a, kWeightBits), _mm256_srai_epi32(b, kWeightBits));
    const __m256i cd =
        _mm256_packs_epi32(_mm256_srai_epi32(c, kWeightBits), _mm256_srai_epi32(d, kWeightBits));
    const __m256i all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), all);
  }
}

#endif

}  // namespace

ACTIONCLIP_VECTOR_CLONES void add_weighted_plainly(std::span<const std::uint8_t* const> sources,
                                                   const std::int32_t* weights, std::int64_t n,
                                                   std::uint8_t* out) {
  constexpr std::int32_t kWhite = 255;
  for (std::int64_t i = 0; i < n; i += kSumBlock) {
    std::array<std::int32_t, kSumBlock> sums;
    sums.fill(kRounding);
    for (std::size_t k = 0; k < sources.size(); ++k) {
      const std::uint8_t* bytes = sources[k] + i;
      for (std::int32_t& sum : sums) sum += *bytes++ * weights[k];
    }
    for (const std::int32_t sum : sums)
      *out++ = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, kWhite));
  }
}

void add_weighted(std::span<const std::uint8_t* const> sources, const std::int32_t* weights, std::int64_t n,
                  std::uint8_t* out) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return add_weighted_avx2(sources, weights, n, out);
#endif
  add_weighted_plainly(sources, weights, n, out);
}

}  // namespace actionclip
