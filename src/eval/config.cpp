#include "actionclip/eval/config.h"

#include <set>

namespace actionclip {

void EvalConfig::check(ConfigChecker& checker) const {
  checker.in_range("clips", static_cast<double>(clips), 1, 1000);
  if (crops != 1 && crops != 3) {
    checker.error("crops",
                  "must be 1 (centre) or 3 (both ends and the centre), found " + std::to_string(crops));
  }
  checker.at_least("batch_size", static_cast<double>(batch_size), 1);
  checker.at_least("every_epochs", static_cast<double>(every_epochs), 0);
  if (std::set<std::string>(group_by.begin(), group_by.end()).size() != group_by.size()) {
    checker.error("group_by", "names a column twice");
  }
}

}  // namespace actionclip
