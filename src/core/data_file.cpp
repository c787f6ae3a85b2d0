#include "actionclip/core/data_file.h"

#include <system_error>

namespace actionclip {

std::filesystem::path share_folder() {
  std::error_code no_program;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", no_program);
  return program.parent_path().parent_path() / "share/actionclip";
}

std::optional<std::filesystem::path> first_file(std::span<const std::filesystem::path> places) {
  for (const auto& place : places) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(place, ignored)) return place;
  }
  return std::nullopt;
}

}  // namespace actionclip
