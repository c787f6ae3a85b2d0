// Any bytes are either refused with Error or become ids of the vocabulary between one start and one end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actionclip/core/error.h"
#include "actionclip/text/bpe_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const actionclip::BpeTokenizer tokenizer(actionclip::default_vocabulary_path());
  try {
    const auto tokens = tokenizer.encode({reinterpret_cast<const char*>(data), size});
    if (tokens.size() < 2 || tokens.front() != tokenizer.start_token() ||
        tokens.back() != tokenizer.end_token())
      std::abort();
    for (const std::int64_t token : tokens) {
      if (token < 0 || token >= tokenizer.vocabulary_size()) std::abort();
    }
  } catch (const actionclip::Error&) {
  }
  return 0;
}
