// Weights files in which one thing is wrong: see crafted_safetensors.h, crafted_pickles.h,
// crafted_archives.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace actionclip {

struct CraftedFile {
  std::string name;  // of what is wrong
  std::string bytes;
  std::string message;     // part of what the refusal says
  bool malicious = false;  // made to run something, to reach other memory, or to take too much of it
};

using CraftedFiles = std::vector<CraftedFile>;

template <typename Files>
void append(Files& all, Files more) {
  for (auto& file : more) all.push_back(std::move(file));
}

inline std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace actionclip
