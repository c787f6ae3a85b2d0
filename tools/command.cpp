#include "tools/command.h"

#include <filesystem>

#include <ATen/Context.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {

void add_device_option(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "auto, cpu, cuda or cuda:N")->capture_default_str();
}

void ExperimentOptions::add_to(CLI::App& command) {
  command.add_option("--config", config, "the experiment's YAML file")->required();
  command.add_option("overrides", overrides, "settings that replace the file's, e.g. train.epochs=3");
  add_device_option(command, device);
}

Experiment ExperimentOptions::load() const { return load_experiment(config, overrides); }

void override_weights(ExperimentOptions& options, const std::string& weights) {
  if (weights.empty()) return;
  if (!std::filesystem::exists(weights))
    throw Error(fmt::format("--weights {}: no such file or folder", weights));
  options.overrides.push_back("model.weights=" + weights);
}

c10::Device choose_device(const std::string& name) {
  const bool usable = at::globalContext().hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0;
  if (name == "auto") return usable ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  if (name == "cpu") return c10::kCPU;
  if (name != "cuda" && name.rfind("cuda:", 0) != 0) {
    throw UsageError(fmt::format("--device {}: not a device (auto, cpu, cuda, cuda:N)", name));
  }
  if (!usable)
    throw Error(fmt::format("--device {}: no usable CUDA device on this machine (use --device cpu)", name));
  return c10::Device(name == "cuda" ? "cuda:0" : name);
}

}  // namespace actionclip
