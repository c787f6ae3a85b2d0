#include "actionclip/core/random.h"

#include <cmath>
#include <numbers>
#include <stdexcept>

#include <Random123/philox.h>

namespace actionclip {
namespace {

using Philox = r123::Philox4x32;

Philox::ctr_type philox(const std::array<std::uint32_t, 4>& counter,
                        const std::array<std::uint32_t, 2>& key) {
  return Philox()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
}

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

// The 64-bit seed is mixed with (purpose, a) into the key by one round of the generator; b and the block
// number are the counter.
RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t a, std::uint64_t b) {
  const auto mixed =
      philox({low(a), high(a), static_cast<std::uint32_t>(purpose), 0x61636c70u}, {low(seed), high(seed)});
  key_ = {mixed[0], mixed[1]};
  counter_ = {0, mixed[2], low(b), high(b)};
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    const auto block = philox(counter_, key_);
    block_ = {block[0], block[1], block[2], block[3]};
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double RandomStream::uniform() {
  const std::uint64_t bits = (static_cast<std::uint64_t>(next()) << 32) | next();
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

double RandomStream::uniform(double low_bound, double high_bound) {
  return low_bound + (high_bound - low_bound) * uniform();
}

std::int64_t RandomStream::below(std::int64_t n) {
  if (n <= 0) throw std::invalid_argument("RandomStream::below needs n > 0");
  const auto range = static_cast<std::uint64_t>(n);
  // Values above the last whole multiple of `range` would favour small results: draw again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  for (;;) {
    const std::uint64_t bits = (static_cast<std::uint64_t>(next()) << 32) | next();
    if (bits < limit) return static_cast<std::int64_t>(bits % range);
  }
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

// The logarithm of a variate of Gamma(shape, 1), by the method of Marsaglia and Tsang (2000); a shape below 1
// is drawn as the next one up times a power of a uniform number. Logarithms, because that power underflows
// where the shape is small.
double RandomStream::log_gamma_variate(double shape) {
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  double log_variate = 0;
  for (bool found = false; !found;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    const double log_uniform = std::log(1.0 - uniform());
    if (root <= 0) continue;
    const double v = root * root * root;
    found = log_uniform < 0.5 * x * x + d - d * v + d * std::log(v);
    log_variate = std::log(d * v);
  }
  return shape < 1 ? log_variate + std::log(1.0 - uniform()) / shape : log_variate;
}

double RandomStream::beta(double a, double b) {
  if (!(a > 0 && b > 0)) throw std::invalid_argument("RandomStream::beta needs a > 0 and b > 0");
  const double log_x = log_gamma_variate(a);
  const double log_y = log_gamma_variate(b);
  return 1.0 / (1.0 + std::exp(log_y - log_x));
}

}  // namespace actionclip
