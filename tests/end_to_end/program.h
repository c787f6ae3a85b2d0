// Runs the built program as a user does, on a small synthetic data set and a tiny model.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tests/temporary_folder.h"

namespace actionclip {

struct ProgramResult {
  int exit_code = -1;
  std::string output;  // standard output
  std::string errors;  // standard error
};

// What happens to a training run once metrics.jsonl in its folder `run` has so many lines.
struct Disturbance {
  std::filesystem::path run;
  int after_steps = 0;  // 0: at once
  std::function<void(pid_t program)> action;
  // A program that has not ended so long after the action is killed with its children (0: it may take its
  // time).
  std::chrono::seconds time_limit{0};
};

// Runs the program with `arguments`; its working folder is the test's.
ProgramResult run_program(const std::vector<std::string>& arguments);
ProgramResult run_program(const std::vector<std::string>& arguments, const Disturbance& disturbance);

// The same, with SIGTERM after `stop_after` steps (0: without).
ProgramResult run_program(const std::vector<std::string>& arguments, const std::filesystem::path& run,
                          int stop_after);

std::vector<pid_t> children_of(pid_t process);

// A small synthetic data set in folder/data, and folder/config.yaml for it: a model that trains in seconds.
void make_tiny_experiment(const std::filesystem::path& folder);

// Lines of text that are not empty.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace actionclip
