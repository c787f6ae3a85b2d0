// Settings of runs with many ranks: the `distributed:` section of an experiment.
#pragma once

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"

namespace actionclip {

struct DistributedConfig {
  double meeting_timeout = 60;  // seconds that ranks wait for each other when they start
  // Seconds that a rank waits for the others within a step, and while rank 0 saves a checkpoint.
  double collective_timeout = 100;
  // MiB of gradients that are reduced together while the backward pass goes on (0: no limit); the first
  // bucket, which holds the last layers, is smaller so that it starts early.
  double bucket_size = 25;
  double first_bucket_size = 1;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(DistributedConfig, (),
                      (meeting_timeout, collective_timeout, bucket_size, first_bucket_size))

}  // namespace actionclip
