// Several ranks as processes: `actionclip train --nproc`.
#pragma once

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {

// The children of a process, by what their environment says is their rank; 0 for one that is gone.
inline std::vector<pid_t> ranks_of(pid_t launcher) {
  std::vector<pid_t> ranks;
  for (const pid_t child : children_of(launcher)) {
    std::ifstream environment(fmt::format("/proc/{}/environ", child));
    for (std::string variable; std::getline(environment, variable, '\0');) {
      if (!variable.starts_with("RANK=")) continue;
      const auto rank = static_cast<std::size_t>(std::stoi(variable.substr(5)));
      ranks.resize(std::max(ranks.size(), rank + 1));
      ranks[rank] = child;
    }
  }
  return ranks;
}

class RanksAsProcesses : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  std::vector<std::string> arguments(const std::string& run, int ranks, std::vector<std::string> more) const {
    std::vector<std::string> result = {
        "train", "--config", folder_ / "config.yaml", "--output",       folder_ / run,       "--device",
        "cpu",   "--nproc",  std::to_string(ranks),   "data.val.list=", "train.max_steps=12"};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }

  ProgramResult train(const std::string& run, int ranks, std::vector<std::string> more = {}) const {
    return run_program(arguments(run, ranks, std::move(more)));
  }

  // The run is disturbed after `steps`.
  ProgramResult train(const std::string& run, int ranks, std::vector<std::string> more, int steps,
                      std::function<void(pid_t)> action) const {
    return run_program(arguments(run, ranks, std::move(more)),
                       {.run = folder_ / run, .after_steps = steps, .action = std::move(action)});
  }

  std::vector<double> losses(const std::string& run) const {
    std::vector<double> result;
    for (const auto& line : lines_of(read_text(folder_ / (run + "/metrics.jsonl")))) {
      const auto record = nlohmann::json::parse(line);
      if (record.at("split") != "summary") result.push_back(record.at("loss").get<double>());
    }
    return result;
  }

  TemporaryFolder folder_;
};

}  // namespace actionclip
