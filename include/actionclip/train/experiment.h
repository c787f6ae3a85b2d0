// An experiment: the whole YAML file as one struct.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/distributed/config.h"
#include "actionclip/eval/config.h"
#include "actionclip/model/config.h"
#include "actionclip/text/config.h"
#include "actionclip/train/config.h"
#include "actionclip/video/config.h"

namespace actionclip {

struct Experiment {
  std::int64_t seed = 1024;
  ModelConfig model;
  TextConfig text;
  DataConfig data;
  TrainConfig train;
  EvalConfig eval;
  DistributedConfig distributed;

  // What only the sections together can tell.
  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(Experiment, (), (seed, model, text, data, train, eval, distributed))

// Reads `file` with its `base:` chain, applies `overrides` ("train.epochs=3"), and checks everything.
// Files named by keys in `unread` may be missing. Throws ConfigError with every finding, a line each;
// UsageError for an override that cannot be used.
Experiment load_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                           const UnreadPaths& unread = {});

// Throws ConfigError that names the key if data.`split` has no list, for a command that cannot do without.
void require_list(const DatasetConfig& config, std::string_view split);

// The resolved experiment as YAML that load_experiment reads back to the same values.
std::string to_yaml(const Experiment& experiment);

}  // namespace actionclip
