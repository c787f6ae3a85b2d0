#include "tools/text_table.h"

#include <algorithm>
#include <cstddef>

namespace actionclip {
namespace {

// Of UTF-8 text: bytes that go on with a character take no room.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos;
}

}  // namespace

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  std::vector<bool> numbers(widths.size(), true);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], width_of(rows_[r].at(c)));
      numbers[c] = numbers[c] && (r == 0 || is_number(rows_[r][c]));
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string blanks(widths[c] - width_of(row[c]), ' ');
      if (c > 0) text += "  ";
      text += numbers[c] ? blanks + row[c] : row[c] + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace actionclip
