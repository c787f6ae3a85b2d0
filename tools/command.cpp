#include "tools/command.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string_view>

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/log.h"
#include "actionclip/core/progress.h"
#include "actionclip/distributed/local_launcher.h"

namespace actionclip {
namespace {

// N of "cuda:N", 0 of "cuda".
std::optional<int> cuda_index(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with("cuda:")) return std::nullopt;
  name.remove_prefix(5);
  int index = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (code != std::errc() || end != name.data() + name.size() || index < 0) return std::nullopt;
  return index;
}

}  // namespace

void add_device_option(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "auto, cpu, cuda or cuda:N")->capture_default_str();
}

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

c10::Device choose_device(const std::string& name, const std::optional<LaunchEnvironment>& environment) {
  const int gpus = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (name == "cpu" || (name == "auto" && gpus == 0)) return c10::kCPU;
  const bool local = environment && (name == "auto" || name == "cuda");
  const auto index = local ? environment->local_rank : name == "auto" ? 0 : cuda_index(name);
  if (!index) throw UsageError(fmt::format("--device {}: not a device (auto, cpu, cuda, cuda:N)", name));
  if (gpus <= 0)
    throw Error(fmt::format("--device {}: no usable CUDA device on this machine (use --device cpu)", name));
  if (*index >= gpus)
    throw Error(fmt::format("--device {}: the last CUDA device of this machine is cuda:{}", name, gpus - 1));
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
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

}  // namespace actionclip
