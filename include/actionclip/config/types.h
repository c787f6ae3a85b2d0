// Types that settings structs may use beside bool, integers, double, std::string, described enums,
// std::optional, std::vector, std::map of texts and other described structs.
#pragma once

#include <filesystem>
#include <string>

namespace actionclip {

// A file or folder that the program will read. In a YAML file it is relative to that file; in an override, to
// the working folder. The reader makes it absolute and reports a path that does not exist. Empty: not given.
struct InputPath {
  std::filesystem::path path;

  bool empty() const { return path.empty(); }
  std::string string() const { return path.string(); }
};

// What the reader does about an InputPath that does not exist. Allowed: to look at a configuration where its
// data are not.
enum class MissingFiles { refused, allowed };

}  // namespace actionclip
