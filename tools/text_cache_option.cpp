#include "tools/text_cache_option.h"

#include <cstdlib>
#include <filesystem>

namespace actionclip {
namespace {

constexpr const char* kNone = "none";

// An absolute path in a variable of the environment; the XDG base directory specification has others ignored.
std::filesystem::path folder_in(const char* variable) {
  const char* value = std::getenv(variable);
  const std::filesystem::path folder = value == nullptr ? "" : value;
  return folder.is_absolute() ? folder : std::filesystem::path();
}

// Empty where the user has no home, as in some containers: nothing is kept then.
std::filesystem::path users_folder() {
  auto cache = folder_in("XDG_CACHE_HOME");
  if (cache.empty()) {
    const auto home = folder_in("HOME");
    if (home.empty()) return {};
    cache = home / ".cache";
  }
  return cache / "actionclip" / "text";
}

}  // namespace

void TextCacheOption::add_to(CLI::App& command) {
  command
      .add_option("--text-cache", folder,
                  "folder that keeps the embeddings of prompts for the next start, at most 2 GiB of them; "
                  "none: they are encoded each time")
      ->default_str("$XDG_CACHE_HOME/actionclip/text");
}

TextCache TextCacheOption::open(int rank) const {
  if (folder == kNone) return {};
  return TextCache(folder.empty() ? users_folder() : std::filesystem::path(folder), /*writes=*/rank == 0);
}

}  // namespace actionclip
