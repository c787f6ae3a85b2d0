#include "text/word_splitter.h"

#include <array>
#include <cstddef>

#include <unicode/uchar.h>

#include "text/utf8.h"

namespace actionclip::detail {
namespace {

constexpr std::array<std::string_view, 9> kLiterals{kStartOfText, kEndOfText, "'s",  "'t", "'re",
                                                    "'ve",        "'m",       "'ll", "'d"};

enum class CharacterClass { kLetter, kNumber, kSeparator, kOther };

CharacterClass classify(char32_t code_point) {
  // Measured of Python's regex package: ignoring case, the combining iota subscript is neither \p{L} (it is a
  // mark) nor [^\p{L}] (its upper case is a letter), so that CLIP drops it.
  constexpr char32_t kCombiningIotaSubscript = 0x345;
  const auto c = static_cast<UChar32>(code_point);
  if (code_point == kCombiningIotaSubscript || u_isUWhiteSpace(c)) return CharacterClass::kSeparator;
  const auto category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return CharacterClass::kLetter;
  if (category & U_GC_N_MASK) return CharacterClass::kNumber;
  return CharacterClass::kOther;
}

// Bytes of `text` that match `literal`, 0 if they do not. CLIP's pattern ignores case, and the only
// lower-case letter that folds to an ASCII letter of these literals is the long s.
std::size_t match(std::string_view text, std::string_view literal) {
  constexpr char32_t kLongS = 0x17f;
  std::size_t position = 0;
  for (const char expected : literal) {
    if (position == text.size()) return 0;
    const char32_t c = next_code_point(text, position);
    if ((c == kLongS ? U's' : c) != static_cast<char32_t>(expected)) return 0;
  }
  return position;
}

std::size_t match_any_literal(std::string_view text) {
  for (const std::string_view literal : kLiterals) {
    if (const std::size_t size = match(text, literal)) return size;
  }
  return 0;
}

// The bytes of `text` from `start` on whose class is that of the first character; it must not be a separator.
std::size_t run_length(std::string_view text, std::size_t start, CharacterClass run_class) {
  std::size_t end = start;
  while (end < text.size()) {
    std::size_t next = end;
    if (classify(next_code_point(text, next)) != run_class) break;
    end = next;
  }
  return end - start;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t position = 0; position < text.size();) {
    std::size_t size = match_any_literal(text.substr(position));
    if (size == 0) {
      std::size_t next = position;
      const auto character_class = classify(next_code_point(text, next));
      size = next - position;
      if (character_class == CharacterClass::kSeparator) {
        position = next;
        continue;
      }
      if (character_class != CharacterClass::kNumber) size = run_length(text, position, character_class);
    }
    words.push_back(text.substr(position, size));
    position += size;
  }
  return words;
}

}  // namespace actionclip::detail
