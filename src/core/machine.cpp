#include "actionclip/core/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

#include "actionclip/core/text_input.h"

namespace actionclip {
namespace {

// Of lines "name : value" or NAME="value", the first value of `name`; empty if there is none.
std::string value_in(const std::filesystem::path& file, std::string_view name, char separator) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line)) {
    const auto end = line.find(separator);
    if (end == std::string::npos || trimmed(std::string_view(line).substr(0, end)) != name) continue;
    auto value = trimmed(std::string_view(line).substr(end + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return "";
}

std::int64_t usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
  return std::max<std::int64_t>(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

std::vector<std::string> gpu_models() {
  std::vector<std::string> models;
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    if (auto model = value_in(gpu.path() / "information", "Model", ':'); !model.empty())
      models.push_back(std::move(model));
  }
  std::ranges::sort(models);
  return models;
}

}  // namespace

nlohmann::ordered_json describe_machine() {
  nlohmann::ordered_json machine;
  if (const auto cpu = value_in("/proc/cpuinfo", "model name", ':'); !cpu.empty()) machine["cpu"] = cpu;
  machine["cores"] = usable_cores();
  const auto pages = static_cast<double>(sysconf(_SC_PHYS_PAGES)),
             page = static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (pages > 0 && page > 0) machine["memory_gib"] = std::round(pages * page / (1 << 30) * 10) / 10;
  if (const auto gpus = gpu_models(); !gpus.empty()) machine["gpus"] = gpus;
  std::string os = value_in("/etc/os-release", "PRETTY_NAME", '=');
  utsname kernel{};
  if (uname(&kernel) == 0)
    os += (os.empty() ? "" : ", ") + std::string(kernel.sysname) + " " + kernel.release;
  if (!os.empty()) machine["os"] = os;
  return machine;
}

}  // namespace actionclip
