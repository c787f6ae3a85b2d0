// Runs the built program as a user does, on a small synthetic data set and a tiny model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace actionclip {

struct ProgramResult {
  int exit_code = -1;
  std::string output;  // standard output
  std::string errors;  // standard error
};

// Runs the program with `arguments`; its working folder is the test's. With `stop_after` > 0 it gets SIGTERM
// once its metrics.jsonl (in the folder `run`) has so many lines.
ProgramResult run_program(const std::vector<std::string>& arguments, const std::filesystem::path& run = {},
                          int stop_after = 0);

// A small synthetic data set in folder/data, and folder/config.yaml for it: a model that trains in seconds.
void make_tiny_experiment(const std::filesystem::path& folder);

// Lines of text that are not empty.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace actionclip
