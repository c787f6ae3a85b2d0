// What the system says of this process's memory.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace actionclip {

// A field of the process's status, "VmRSS" or "VmHWM" (its peak), in bytes.
inline std::int64_t process_memory(std::string_view field) {
  constexpr std::int64_t kKilobyte = 1024;
  const std::string key = std::string(field) + ":";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::atoll(line.c_str() + key.size()) * kKilobyte;
  }
  throw std::runtime_error("/proc/self/status does not tell " + std::string(field));
}

}  // namespace actionclip
