#include "actionclip/config/checker.h"

#include <fmt/format.h>

namespace actionclip {

void ConfigChecker::at_least(std::string_view key, double value, double minimum) {
  if (!(value >= minimum)) error(key, fmt::format("must be at least {}, found {}", minimum, value));
}

void ConfigChecker::greater_than(std::string_view key, double value, double bound) {
  if (!(value > bound)) error(key, fmt::format("must be greater than {}, found {}", bound, value));
}

void ConfigChecker::in_range(std::string_view key, double value, double minimum, double maximum) {
  if (!(value >= minimum && value <= maximum)) {
    error(key, fmt::format("must lie between {} and {}, found {}", minimum, maximum, value));
  }
}

}  // namespace actionclip
