#include "actionclip/text/tokenizer.h"

#include <algorithm>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/text/bpe_tokenizer.h"

#include "text/utf8.h"

namespace actionclip {

std::shared_ptr<const Tokenizer> make_tokenizer(const TextConfig& config) {
  switch (config.tokenizer) {
    case TokenizerKind::clip:
      return std::make_shared<BpeTokenizer>(config.vocabulary.empty() ? default_vocabulary_path()
                                                                      : config.vocabulary.path);
  }
  throw Error("text.tokenizer: this kind has no implementation");
}

std::vector<std::int64_t> tokenize(const Tokenizer& tokenizer, std::span<const std::string> texts,
                                   std::int64_t context_length, bool truncate) {
  if (context_length < 2) {
    throw Error(
        fmt::format("context length {} has no room for the start and the end token; it must be at least 2",
                    context_length));
  }
  const auto length = static_cast<std::size_t>(context_length);
  std::vector<std::int64_t> rows(texts.size() * length, tokenizer.pad_token());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto tokens = tokenizer.encode(texts[i]);
    if (tokens.size() > length) {
      if (!truncate) {
        throw Error(
            fmt::format("text \"{}\" has {} tokens, the context holds {}; shorten it or have it cut "
                        "(text.truncate, predict's --truncate)",
                        detail::excerpt(texts[i]), tokens.size(), length));
      }
      tokens.resize(length);
      tokens.back() = tokenizer.end_token();
    }
    std::ranges::copy(tokens, rows.begin() + static_cast<std::ptrdiff_t>(i * length));
  }
  return rows;
}

}  // namespace actionclip
