#include "weights/tensor_bounds.h"

#include <algorithm>

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace actionclip {
namespace {

struct Character {
  std::string_view bytes;
  bool plain;  // may stand in a message as it is
};

Character next_character(std::string_view text, std::size_t place) {
  constexpr std::size_t kLongest = 4;  // bytes of a character in UTF-8
  const std::string_view rest = text.substr(place, kLongest);
  std::int32_t length = 0;
  UChar32 c = 0;
  U8_NEXT(rest.data(), length, static_cast<std::int32_t>(rest.size()), c);
  const bool plain = c >= 0 && u_charType(c) != U_CONTROL_CHAR && u_charType(c) != U_LINE_SEPARATOR &&
                     u_charType(c) != U_PARAGRAPH_SEPARATOR;
  return {rest.substr(0, static_cast<std::size_t>(length)), plain};
}

std::string escaped(const Character& character) {
  if (character.plain) return std::string(character.bytes);
  std::string text;
  for (const char c : character.bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

std::optional<std::int64_t> checked_byte_count(DType dtype, const std::vector<std::int64_t>& shape) {
  if (shape.size() > kMaxDimensions) return std::nullopt;
  auto bytes = static_cast<std::int64_t>(item_size(dtype));
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes)) return std::nullopt;
  }
  return empty ? 0 : bytes;
}

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  std::string text = "\"";
  std::size_t place = 0;
  while (place < name.size() && place < kLongest) {
    const Character character = next_character(name, place);
    place += character.bytes.size();
    if (character.bytes == "\"" || character.bytes == "\\") text += '\\';
    text += escaped(character);
  }
  return text + (place < name.size() ? "...\"" : "\"");
}

std::string on_one_line(std::string_view message) {
  std::string text;
  for (std::size_t place = 0; place < message.size();) {
    const Character character = next_character(message, place);
    place += character.bytes.size();
    text += character.bytes == "\n" ? "; " : escaped(character);
  }
  return text;
}

std::string shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return std::string(text);
  std::size_t place = 0;
  while (place < longest) place += next_character(text, place).bytes.size();
  return fmt::format("{}{}", text.substr(0, place), place < text.size() ? "..." : "");
}

std::string listed(std::span<const std::string> items, std::string_view separator) {
  constexpr std::size_t kMost = 20;
  const std::size_t shown = std::min(items.size(), kMost);
  std::string text;
  for (const std::string& item : items.first(shown))
    text += fmt::format("{}{}", text.empty() ? std::string_view() : separator, shortened(item));
  if (shown < items.size()) text += fmt::format("{}and {} more", separator, items.size() - shown);
  return text;
}

bool is_plain_text(std::string_view name) {
  for (std::size_t place = 0; place < name.size();) {
    const auto [bytes, plain] = next_character(name, place);
    if (!plain) return false;
    place += bytes.size();
  }
  return true;
}

}  // namespace actionclip
