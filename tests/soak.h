// Tests of what happens at random moments. Every run of the tests takes a few moments of a fixed seed (suites
// Ci/...). Suites Soak/..., ctest's label soak, take many, of a seed that differs every time; it is printed,
// and ACTIONCLIP_SOAK_SEED repeats it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <ostream>
#include <random>
#include <string>

namespace actionclip {

struct Moments {
  int count = 0;
  bool fixed_seed = true;
};

// The name of a test's instance.
inline std::ostream& operator<<(std::ostream& stream, const Moments& moments) {
  return stream << moments.count;
}

inline std::uint64_t seed_of(const Moments& moments) {
  if (moments.fixed_seed) return 1;
  const char* wanted = std::getenv("ACTIONCLIP_SOAK_SEED");
  const std::uint64_t seed = wanted ? std::stoull(wanted) : std::random_device()();
  std::cout << "ACTIONCLIP_SOAK_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace actionclip
