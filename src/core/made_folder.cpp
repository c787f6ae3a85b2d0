#include "actionclip/core/made_folder.h"

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr const char* kSettingsFile = "settings.json";

// Whether `folder` already holds what these settings make, and is to be left so. Throws Error if it holds
// anything else.
bool is_made(const std::filesystem::path& folder, const std::string& settings) {
  if (!std::filesystem::exists(folder)) return false;
  if (std::filesystem::is_directory(folder) && std::filesystem::is_empty(folder)) return false;
  const auto file = folder / kSettingsFile;
  if (std::filesystem::exists(file) && read_text_file(file) == settings) return true;
  throw Error(fmt::format("{} exists and was not made with these settings; remove it or name another folder",
                          folder.string()));
}

bool make(const std::filesystem::path& folder, const std::string& settings,
          const std::function<void(const std::filesystem::path&)>& fill) {
  remove_leftovers_of(folder);
  if (is_made(folder, settings)) return false;
  const auto temporary = temporary_sibling(folder);
  try {
    std::filesystem::create_directories(temporary);
    fill(temporary);
    OutputFile(temporary / kSettingsFile).write(settings);
    flush_file_system(temporary);
    rename_durably(temporary, folder);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
  return true;
}

}  // namespace

bool make_folder_once(const std::filesystem::path& folder, const std::string& settings,
                      const std::function<void(const std::filesystem::path&)>& fill) {
  // "data/" and "data" are the same folder, but of the first no sibling can be named.
  const auto named = folder.has_filename() ? folder : folder.parent_path();
  try {
    return make(named, settings, fill);
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot make {}: {}", named.string(), problem.code().message()));
  }
}

}  // namespace actionclip
