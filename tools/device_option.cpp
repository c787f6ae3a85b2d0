#include "tools/device_option.h"

#include <charconv>
#include <string_view>

#include <ATen/Context.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"

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

c10::Device choose_device(const std::string& name, const std::optional<LaunchEnvironment>& environment) {
  const int gpus = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (name == "cpu" || (name == "auto" && gpus == 0)) return c10::kCPU;
  const bool local = environment && (name == "auto" || name == "cuda");
  const auto index = local ? environment->local_rank : name == "auto" ? 0 : cuda_index(name);
  if (!index) throw UsageError(fmt::format("--device {}: not a device (auto, cpu, cuda, cuda:N)", name));
  if (gpus <= 0)
    throw Error(fmt::format("--device {}: no usable CUDA device on this machine (use --device cpu)", name));
  if (local && *index >= gpus) {
    throw Error(fmt::format(
        "--device {}: local rank {} has no GPU of its own, as {} can be seen here (start fewer ranks, "
        "and let each see all GPUs of its machine)",
        name, *index, gpus));
  }
  if (*index >= gpus)
    throw Error(fmt::format("--device {}: the last CUDA device of this machine is cuda:{}", name, gpus - 1));
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
}

}  // namespace actionclip
