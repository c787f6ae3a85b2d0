#include "actionclip/eval/config.h"

#include <set>
#include <string>

#include "actionclip/video/augmentation.h"

namespace actionclip {

void EvalConfig::check(ConfigChecker& checker) const {
  checker.in_range("clips", static_cast<double>(clips), 1, 1000);
  if (!is_crop_count(crops)) {
    checker.error("crops",
                  "must be 1 (centre), 3 (both ends and the centre), 5 (corners and centre) or 10 (the five "
                  "and their mirror images), found " +
                      std::to_string(crops));
  }
  checker.at_least("batch_size", static_cast<double>(batch_size), 1);
  checker.at_least("every_epochs", static_cast<double>(every_epochs), 0);
  if (std::set<std::string>(group_by.begin(), group_by.end()).size() != group_by.size()) {
    checker.error("group_by", "names a column twice");
  }
}

}  // namespace actionclip
