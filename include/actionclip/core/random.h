// Counter-based random streams (Philox 4x32-10, from the Random123 library).
// A stream is a pure function of its key: the same (seed, purpose, a, b) gives the same numbers on every
// machine, thread, worker and rank, so nothing needs to be saved or shared. Use one purpose per kind of
// choice and, say, (epoch, index) as a and b.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace actionclip {

// What a stream is for. Streams of different purposes never overlap. Values are part of the reproducibility
// promise: append only. (The first parameters of a model are libtorch's numbers, by at::manual_seed.)
enum class RandomPurpose : std::uint32_t {
  kShuffle = 1,       // order of the samples in an epoch: (epoch, 0)
  kFrames = 2,        // frames drawn from a video: (epoch, index)
  kAugmentation = 3,  // crop and flip of a sample: (epoch, index)
  kTemplate = 4,      // prompt template of a sample: (epoch, index)
  kReplacement = 5,   // sample that takes the place of a failed one: (epoch, index)
  kFewShot = 7,       // which clips are the K shots: (seed, class)
  kSynthetic = 8,     // synthetic clips and stills: (split, index)
  kRandAugment = 9,   // operations of RandAugment: (epoch, index)
  kColor = 10,        // colour jitter, grey, blur, solarise: (epoch, index)
  kErasing = 11,      // rectangle painted over: (epoch, index)
  kMix = 12,          // mixup and cutmix of a batch: (step and part, 0)
  kSampleLabel = 13,  // the label whose text stands for a video of several: (epoch, index)
  kClassTexts = 20,   // prompt template of all classes' texts in a step: (step, 0)
  kModel = 21,        // seed of libtorch's generators, for dropout: (step and part, rank)
  kBootstrap = 30,    // videos of a draw with replacement: (draw, 0)
};

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t a = 0, std::uint64_t b = 0);

  std::uint32_t next();  // 32 random bits
  double uniform();      // in [0, 1), 53 bits
  double uniform(double low, double high);
  std::int64_t below(std::int64_t n);  // uniform integer in [0, n), without modulo bias; n > 0
  double normal();                     // mean 0, standard deviation 1 (Box-Muller)
  // Beta(a, b), in [0, 1]; a, b > 0, however small.
  double beta(double a, double b);
  bool chance(double probability) { return uniform() < probability; }

  // Fisher-Yates.
  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (auto i = static_cast<std::int64_t>(values.size()) - 1; i > 0; --i)
      std::swap(values[i], values[below(i + 1)]);
  }

 private:
  double log_gamma_variate(double shape);

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
};

}  // namespace actionclip
