// Pieces of HTML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace actionclip::detail {

// `text` as the content of an element or of an attribute in quotes. Bytes that are not UTF-8, and control
// characters but for tabs and line breaks, become U+FFFD.
std::string escape_html(std::string_view text);

// The same of at most the first `limit` bytes, "..." at a cut.
std::string escape_html(std::string_view text, std::size_t limit);

// JSON that can stand in a <script> element: without '<', which alone could end it.
std::string json_for_script(const nlohmann::ordered_json& json);

std::string base64(std::string_view bytes);

// <section> with a heading that links can lead to. `note` (HTML): a line below it.
std::string section(std::string_view id, std::string_view title, std::string_view note,
                    const std::string& content);

// A table; cells are HTML. Columns from `first_number` on are numbers, which stand to the right.
class HtmlTable {
 public:
  HtmlTable(std::vector<std::string> header, std::size_t first_number)
      : header_(std::move(header)), first_number_(first_number) {}

  // As many cells as the header has. `attributes` (HTML): of the row.
  void add(const std::vector<std::string>& cells, std::string_view attributes = "");
  bool empty() const { return rows_.empty(); }
  std::string html(std::string_view css_class = "") const;

 private:
  std::string cell(std::string_view tag, std::size_t column, const std::string& text) const;

  std::vector<std::string> header_;
  std::size_t first_number_;
  std::string rows_;
};

// With thousands apart: 19,881.
std::string grouped(double value);

}  // namespace actionclip::detail
