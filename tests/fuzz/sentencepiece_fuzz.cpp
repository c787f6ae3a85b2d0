// Any bytes are either refused with Error or a SentencePiece model that gives ids of its own vocabulary.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/text/sentencepiece_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::string_view, 4> kTexts = {
      "a man is riding a bike", "aaaaaaaa\xc2\xa0\xe2\x85\xa7", "\xe8\xb7\x91\xe6\xad\xa5",
      std::string_view("\0", 1)};
  try {
    const actionclip::SentencePieceTokenizer tokenizer({reinterpret_cast<const char*>(data), size}, "fuzz");
    for (const auto text : kTexts) {
      for (const std::int64_t token : tokenizer.encode(text)) {
        if (token < 0 || token >= tokenizer.vocabulary_size()) std::abort();
      }
    }
  } catch (const actionclip::Error&) {
  }
  return 0;
}
