// What the sub-commands share: common options, and how a command hands its exit code back.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actionclip/core/exit_code.h"
#include "actionclip/distributed/launch_environment.h"
#include "actionclip/distributed/process_group.h"
#include "actionclip/text/labels.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/train/experiment.h"
#include "actionclip/weights/initialize.h"

#include "tools/device_option.h"

namespace actionclip {

// Options that an experiment is made of.
struct ExperimentOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::string device = "auto";

  // --config, key=value..., --device.
  void add_to(CLI::App& command);
  // `unread`: keys of files that the command does not read.
  Experiment load(const UnreadPaths& unread) const;
};

// Makes `--weights FILE` replace model.weights; nothing if it is empty. Throws Error if there is no such file
// or folder.
void override_weights(ExperimentOptions& options, const std::string& weights);

// Who this process is among ranks, if a launcher started it. On ranks other than 0, warnings alone are logged
// from now on, and no progress is drawn.
std::optional<LaunchEnvironment> enter_ranks();

// Runs `work` and returns its exit code. Where there are other ranks and it throws, the process ends here,
// with the message: what is left of the group could wait for ranks that are gone.
int run_on_ranks(const ProcessGroup& group, const std::function<int()>& work);

// Prints the program's last line to standard error, and returns `exit_code`.
int report(const std::string& message, int exit_code);

// The same for what is being thrown, and returns the exit code for it. Call it in a handler.
int report_exception();

// CLI::Range(low, high) of numbers, without NaN.
CLI::Validator number_in(double low, double high);

// --output of the commands that print results: a folder that gets them as files too.
class ResultFolder {
 public:
  void add_to(CLI::App& command);

  // Creates the folder, so that one that cannot be made stops the command before its work, not after.
  void open() const;
  // Both nothing without --output. Files appear whole or not at all.
  void write(const std::string& name, const std::string& text) const;

  // Removes an earlier call's file, which would be of other scores than those beside it.
  void remove(const std::string& name) const;

  const std::string& path() const { return path_; }  // empty: without --output

  // Where a file of the folder lies, for what writes itself; none without --output.
  std::optional<std::filesystem::path> path_of(const std::string& name) const;

 private:
  std::string path_;
};

// Each adds one sub-command; its callback stores the exit code.
void add_train_command(CLI::App& program, int& exit_code);
void add_evaluate_command(CLI::App& program, int& exit_code);
void add_zero_shot_command(CLI::App& program, int& exit_code);
void add_interpolate_command(CLI::App& program, int& exit_code);
void add_few_shot_command(CLI::App& program, int& exit_code);
void add_base_to_novel_command(CLI::App& program, int& exit_code);
void add_features_command(CLI::App& program, int& exit_code);
void add_sweep_command(CLI::App& program, int& exit_code);
void add_predict_command(CLI::App& program, int& exit_code);
void add_convert_command(CLI::App& program, int& exit_code);
void add_dataset_command(CLI::App& program, int& exit_code);
void add_report_command(CLI::App& program);
void add_compare_command(CLI::App& program);
void add_inspect_command(CLI::App& program, int& exit_code);
void add_rescore_command(CLI::App& program, int& exit_code);
void add_inspect_samples(CLI::App& inspect);
void add_inspect_weights(CLI::App& inspect, int& exit_code);

}  // namespace actionclip
