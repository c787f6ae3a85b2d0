#include "tools/command.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/log.h"
#include "actionclip/core/progress.h"
#include "actionclip/core/text_input.h"
#include "actionclip/distributed/local_launcher.h"

namespace actionclip {

void ExperimentOptions::add_to(CLI::App& command) {
  command.add_option("--config", config, "the experiment's YAML file")->required();
  command.add_option("overrides", overrides, "settings that replace the file's, e.g. train.batch_size=64");
  add_device_option(command, device);
}

Experiment ExperimentOptions::load(const UnreadPaths& unread) const {
  return load_experiment(config, overrides, unread);
}

void override_weights(ExperimentOptions& options, const std::string& weights) {
  if (weights.empty()) return;
  if (!std::filesystem::exists(weights))
    throw Error(fmt::format("--weights {}: no such file or folder", weights));
  try {
    // In quotes, which JSON and YAML share: of `runs/a #1` YAML would take the end for a comment.
    options.overrides.push_back("model.weights=" + nlohmann::json(weights).dump());
  } catch (const nlohmann::json::type_error&) {
    throw Error(fmt::format("--weights {}: the name is not UTF-8, as settings must be; rename it", weights));
  }
}

std::optional<LaunchEnvironment> enter_ranks() {
  const bool prefixed = end_with_launcher();  // by the launcher
  auto environment = read_launch_environment();
  if (environment && environment->rank > 0) {
    set_up_rank_logging(prefixed ? "" : fmt::format("[rank {}] ", environment->rank));
    ProgressBar::turn_off();
  }
  return environment;
}

int run_on_ranks(const ProcessGroup& group, const std::function<int()>& work) {
  try {
    return work();
  } catch (...) {
    if (group.world_size() == 1) throw;
    const int exit_code = report_exception();
    std::fflush(nullptr);
    std::_Exit(exit_code);
  }
}

// Not by fmt::print, which throws where standard error cannot be written either.
int report(const std::string& message, int exit_code) {
  std::fputs(fmt::format("actionclip: {}\n", message).c_str(), stderr);
  return exit_code;
}

int report_exception() {
  try {
    throw;
  } catch (const UsageError& problem) {
    return report(problem.what(), kExitUsage);
  } catch (const c10::Error& problem) {
    return report(problem.what_without_backtrace(), kExitError);
  } catch (const std::exception& problem) {
    return report(problem.what(), kExitError);
  }
}

CLI::Validator number_in(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    const auto value = parse_number(text);
    if (value && *value >= low && *value <= high) return std::string();
    return fmt::format("{} is not a number from {} to {}", text, low, high);
  };
  return CLI::Validator(check, fmt::format("FLOAT in [{} - {}]", low, high));
}

void ResultFolder::add_to(CLI::App& command) {
  command.add_option("--output", path_, "folder that gets the results as files too");
}

void ResultFolder::open() const {
  if (path_.empty()) return;
  std::error_code code;
  std::filesystem::create_directories(path_, code);
  if (code) throw Error(fmt::format("--output {}: cannot create the folder: {}", path_, code.message()));
}

void ResultFolder::write(const std::string& name, const std::string& text) const {
  if (!path_.empty()) write_file_atomically(std::filesystem::path(path_) / name, text);
}

void ResultFolder::remove(const std::string& name) const {
  std::error_code absent;
  if (!path_.empty()) std::filesystem::remove(std::filesystem::path(path_) / name, absent);
}

std::optional<std::filesystem::path> ResultFolder::path_of(const std::string& name) const {
  if (path_.empty()) return std::nullopt;
  return std::filesystem::path(path_) / name;
}

}  // namespace actionclip
