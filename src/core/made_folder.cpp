#include "actionclip/core/made_folder.h"

#include <cstdio>
#include <fcntl.h>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr const char* kSettingsFile = "settings.json";

// Whether `folder` already holds what these settings make, and is to be left so. Throws Error if it holds
// anything else.
bool is_made(const std::filesystem::path& folder, const std::string& settings, bool anew) {
  if (!std::filesystem::exists(folder)) return false;
  if (std::filesystem::is_directory(folder) && std::filesystem::is_empty(folder)) return false;
  const auto file = folder / kSettingsFile;
  if (std::filesystem::exists(file) && (anew || read_text_file(file) == settings)) return !anew;
  throw Error(
      fmt::format("{} exists and was not made with these settings; name another folder", folder.string()));
}

// Gives the folder `made` the name `folder`, in the place of one that has it. In one step where the file
// system can exchange names; else the former is removed before.
void take_place(const std::filesystem::path& made, const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder) && !std::filesystem::is_empty(folder)) {
    if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
      sync_folder(folder.parent_path().empty() ? "." : folder.parent_path());
      std::filesystem::remove_all(made);
      return;
    }
    std::filesystem::remove_all(folder);
  }
  rename_durably(made, folder);
}

// A folder beside `folder` with what `fill` puts into it and settings.json, on the disk. Gone with the
// object.
class Filled {
 public:
  Filled(const std::filesystem::path& folder, const std::string& settings,
         const std::function<void(const std::filesystem::path&)>& fill)
      : path_(temporary_sibling(folder)) {
    try {
      std::filesystem::create_directories(path_);
      fill(path_);
      OutputFile(path_ / kSettingsFile).write(settings);
      flush_file_system(path_);
    } catch (...) {
      remove();
      throw;
    }
  }
  ~Filled() { remove(); }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path path_;
};

bool make(const std::filesystem::path& folder, const std::string& settings,
          const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  remove_leftovers_of(folder);
  if (is_made(folder, settings, anew)) return false;
  const Filled made(folder, settings, fill);
  take_place(made.path(), folder);
  return true;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

bool add_files(const std::filesystem::path& folder, const std::string& settings,
               const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  const auto own_settings = folder / kSettingsFile;
  const bool has_settings = std::filesystem::exists(own_settings);
  if (has_settings && !anew) {
    if (read_text_file(own_settings) == settings) return false;
    throw Error(
        fmt::format("{} was made with other settings (settings.json); make it anew (--force), or name "
                    "another folder",
                    folder.string()));
  }
  remove_leftovers_of(folder);
  const Filled made(folder, settings, fill);
  const auto names = names_in(made.path());
  for (const auto& name : names) {
    const auto place = folder / name;
    if (std::filesystem::exists(place) && (!has_settings || std::filesystem::is_directory(place)))
      throw Error(fmt::format("{} is there already; move it away, or name another folder", place.string()));
  }
  std::filesystem::remove(own_settings);  // what is not complete is not taken for it
  for (const auto& name : names) {
    if (name != kSettingsFile) std::filesystem::rename(made.path() / name, folder / name);
  }
  sync_folder(folder);
  rename_durably(made.path() / kSettingsFile, own_settings);
  return true;
}

// "data/" and "data" are the same folder, but of the first no sibling can be named.
std::filesystem::path named(const std::filesystem::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

[[noreturn]] void fail(const std::filesystem::path& folder,
                       const std::filesystem::filesystem_error& problem) {
  throw Error(fmt::format("cannot make {}: {}", folder.string(), problem.code().message()));
}

}  // namespace

bool make_folder_once(const std::filesystem::path& folder, const std::string& settings,
                      const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  try {
    return make(named(folder), settings, fill, anew);
  } catch (const std::filesystem::filesystem_error& problem) {
    fail(named(folder), problem);
  }
}

bool add_files_once(const std::filesystem::path& folder, const std::string& settings,
                    const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  const auto place = named(folder);
  try {
    const bool holds_others = std::filesystem::is_directory(place) && !std::filesystem::is_empty(place);
    return holds_others ? add_files(place, settings, fill, anew) : make(place, settings, fill, anew);
  } catch (const std::filesystem::filesystem_error& problem) {
    fail(place, problem);
  }
}

}  // namespace actionclip
