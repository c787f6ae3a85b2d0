// Annotation files of one record a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/text_input.h"

namespace actionclip {

struct TextLine {
  std::int64_t number;  // from 1
  std::string text;     // without the white space at both ends
};

// The lines of `file` that are not blank. Throws Error if it cannot be read.
inline std::vector<TextLine> text_lines(const std::filesystem::path& file) {
  const std::string content = read_text_file(file);
  std::string_view rest = without_byte_order_mark(content);
  std::vector<TextLine> lines;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    const auto line = trimmed(rest.substr(0, end));
    if (!line.empty()) lines.push_back({number, std::string(line)});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lines;
}

}  // namespace actionclip
