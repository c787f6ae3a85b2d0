#include "actionclip/train/step_choices.h"

#include "actionclip/core/random.h"

namespace actionclip {

std::int64_t choose_class_template(std::uint64_t seed, std::int64_t step, std::int64_t templates) {
  RandomStream stream(seed, RandomPurpose::kClassTexts, static_cast<std::uint64_t>(step));
  return stream.below(templates);
}

std::uint64_t choose_model_seed(std::uint64_t seed, std::int64_t part, int rank) {
  RandomStream stream(seed, RandomPurpose::kModel, static_cast<std::uint64_t>(part),
                      static_cast<std::uint64_t>(rank));
  const std::uint64_t high = stream.next();
  return high << 32 | stream.next();
}

}  // namespace actionclip
