// What the sub-commands share: common options, and how a command hands its exit code back.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <c10/core/Device.h>

#include "actionclip/text/labels.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/train/experiment.h"
#include "actionclip/weights/initialize.h"

namespace actionclip {

constexpr int kExitDone = 0;
constexpr int kExitError = 1;
constexpr int kExitUsage = 2;

// Options that an experiment is made of.
struct ExperimentOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::string device = "auto";

  // --config, key=value..., --device.
  void add_to(CLI::App& command);
  Experiment load() const;
};

// Makes `--weights FILE` replace model.weights; nothing if it is empty. Throws Error if there is no such file
// or folder.
void override_weights(ExperimentOptions& options, const std::string& weights);

// "auto" (CUDA where a GPU is usable), "cpu", "cuda", "cuda:N". Throws Error if a GPU is asked for and there
// is none.
c10::Device choose_device(const std::string& name);

// --device, as every command that computes has it.
void add_device_option(CLI::App& command, std::string& device);

// Each adds one sub-command; its callback stores the exit code.
void add_train_command(CLI::App& program, int& exit_code);
void add_evaluate_command(CLI::App& program, int& exit_code);
void add_zero_shot_command(CLI::App& program, int& exit_code);
void add_few_shot_command(CLI::App& program, int& exit_code);
void add_predict_command(CLI::App& program, int& exit_code);
void add_dataset_command(CLI::App& program, int& exit_code);
void add_inspect_command(CLI::App& program, int& exit_code);

}  // namespace actionclip
