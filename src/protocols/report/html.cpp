#include "html.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <openssl/evp.h>

#include <fmt/format.h>

#include "actionclip/core/json_text.h"

#include "text/utf8.h"

namespace actionclip::detail {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Empty for what stands for itself.
std::string_view entity(UChar32 code_point) {
  switch (code_point) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return "";
  }
}

bool is_control(UChar32 code_point) {
  if (code_point == '\t' || code_point == '\n' || code_point == '\r') return false;
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  const auto size = static_cast<std::int32_t>(std::min<std::size_t>(text.size(), INT32_MAX));
  for (std::int32_t position = 0; position < size;) {
    const auto start = static_cast<std::size_t>(position);
    UChar32 code_point;
    U8_NEXT(text.data(), position, size, code_point);
    if (code_point < 0 || is_control(code_point)) {
      append_utf8(html, kReplacement);
    } else if (const auto written = entity(code_point); !written.empty()) {
      html += written;
    } else {
      html += text.substr(start, static_cast<std::size_t>(position) - start);
    }
  }
  return html;
}

std::string escape_html(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return escape_html(text);
  while (limit > 0 && U8_IS_TRAIL(text[limit])) --limit;
  return escape_html(text.substr(0, limit)) + "…";
}

std::string json_for_script(const nlohmann::ordered_json& json) {
  std::string safe;
  for (const char c : json_text(json, -1)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the zero that OpenSSL adds
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string section(std::string_view id, std::string_view title, std::string_view note,
                    const std::string& content) {
  std::string html = fmt::format("<section id=\"{0}\">\n<h2><a href=\"#{0}\">{1}</a></h2>\n", id, title);
  if (!note.empty()) html += fmt::format("<p class=\"note\">{}</p>\n", note);
  return html + content + "</section>\n";
}

std::string HtmlTable::cell(std::string_view tag, std::size_t column, const std::string& text) const {
  return fmt::format("<{0}{1}>{2}</{0}>", tag, column >= first_number_ ? " class=\"n\"" : "", text);
}

void HtmlTable::add(const std::vector<std::string>& cells, std::string_view attributes) {
  rows_ += attributes.empty() ? "<tr>" : fmt::format("<tr {}>", attributes);
  for (std::size_t c = 0; c < cells.size(); ++c) rows_ += cell("td", c, cells[c]);
  rows_ += "</tr>\n";
}

std::string HtmlTable::html(std::string_view css_class) const {
  std::string head;
  for (std::size_t c = 0; c < header_.size(); ++c) head += cell("th", c, header_[c]);
  return fmt::format(
      "<div class=\"scroll {}\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
      css_class, head, rows_);
}

std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (std::ptrdiff_t place = std::ssize(digits) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return (value < 0 ? "-" : "") + digits;
}

}  // namespace actionclip::detail
