#include "actionclip/distributed/config.h"

namespace actionclip {

void DistributedConfig::check(ConfigChecker& checker) const {
  constexpr double kDay = 86400, kMaxBucket = 65536;
  checker.in_range("meeting_timeout", meeting_timeout, 1, kDay);
  checker.in_range("collective_timeout", collective_timeout, 1, kDay);
  checker.in_range("bucket_size", bucket_size, 0, kMaxBucket);
  checker.in_range("first_bucket_size", first_bucket_size, 0, kMaxBucket);
}

}  // namespace actionclip
