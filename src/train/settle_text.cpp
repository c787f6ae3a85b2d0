#include "actionclip/train/settle_text.h"

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// As in CLIP's vocabulary, so that the end is found without knowing its id.
bool ends_with_largest(const Tokenizer& tokenizer) {
  return tokenizer.end_token() == tokenizer.vocabulary_size() - 1;
}

}  // namespace

void settle_text(ModelConfig& model, const Tokenizer& tokenizer) {
  auto& text = model.text;
  if (!text.vocabulary_size) text.vocabulary_size = tokenizer.vocabulary_size();
  if (!text.end_token && !ends_with_largest(tokenizer)) text.end_token = tokenizer.end_token();
  require_fit(resolve(model).text, tokenizer);
}

void require_fit(const TextTransformerConfig& encoder, const Tokenizer& tokenizer) {
  if (encoder.vocabulary_size < tokenizer.vocabulary_size()) {
    throw ConfigError(
        fmt::format("model.text.vocabulary_size: the text encoder has {} entries, but the tokenizer's "
                    "vocabulary has {}",
                    encoder.vocabulary_size, tokenizer.vocabulary_size()));
  }
  const bool by_size = encoder.end_token == kLargestToken;
  if (by_size ? ends_with_largest(tokenizer) : encoder.end_token == tokenizer.end_token()) return;
  throw ConfigError(
      fmt::format("model.text.end_token: the text encoder takes its feature at {}, but the tokenizer ends "
                  "texts with token {}",
                  by_size ? "the largest token of a text" : fmt::format("token {}", encoder.end_token),
                  tokenizer.end_token()));
}

}  // namespace actionclip
