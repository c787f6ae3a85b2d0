#include "actionclip/config/suggestion.h"

#include <algorithm>
#include <tuple>

namespace actionclip {
namespace {

// Longer texts are no typing errors; the bound keeps the table small.
constexpr std::size_t kMaxLength = 64;

char fold(char c) {
  if (c == '-') return '_';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t length = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < length && fold(a[i]) == fold(b[i])) ++i;
  return i;
}

}  // namespace

// Optimal string alignment over three rows of the table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string nearest_name(std::string_view text, const std::vector<std::string>& names) {
  std::string best;
  if (text.size() > kMaxLength) return best;
  // Of equally distant names the one that begins like the text: the first letters are rarely mistyped.
  std::tuple<std::size_t, std::size_t, std::size_t> best_rank;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(text, name);
    const std::size_t length = std::max(text.size(), name.size());
    if (distance > std::max<std::size_t>(1, length / 3) || distance >= length) continue;
    const std::size_t length_change =
        text.size() > name.size() ? text.size() - name.size() : name.size() - text.size();
    const std::tuple rank{distance, length - common_prefix(text, name), length_change};
    if (best.empty() || rank < best_rank) {
      best = name;
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace actionclip
