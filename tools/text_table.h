// Tables for people: columns aligned, those of numbers to the right, the others to the left.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace actionclip {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}

  // As many cells as the header has.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // A line a row.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace actionclip
