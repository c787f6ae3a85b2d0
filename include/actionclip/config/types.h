// Types that settings structs may use beside bool, integers, double, std::string, described enums,
// std::optional, std::vector, std::map of texts and other described structs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace actionclip {

// A file or folder that the program will read. In a YAML file it is relative to that file; in an override, to
// the working folder. The reader makes it absolute and reports a path that does not exist (but for
// UnreadPaths). Empty: not given.
struct InputPath {
  std::filesystem::path path;

  bool empty() const { return path.empty(); }
  std::string string() const { return path.string(); }
};

// The InputPaths that need not exist, because nothing is going to read them: keys ("data.train.list"), or
// sections ("data.train") for all in them; "" for all.
using UnreadPaths = std::vector<std::string>;

}  // namespace actionclip
