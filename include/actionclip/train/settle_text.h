// Brings text encoder and tokenizer together. Torch-free.
#pragma once

#include "actionclip/model/config.h"
#include "actionclip/text/tokenizer.h"

namespace actionclip {

// Fills in what the settings leave to the tokenizer: the entries of the vocabulary, and the token at which
// the text encoder takes its feature, where that is not simply the largest one. Throws ConfigError as the
// function below does, and as resolve() does.
void settle_text(ModelConfig& model, const Tokenizer& tokenizer);

// Throws ConfigError if a text encoder of these sizes does not fit the tokenizer: it has fewer entries, or
// takes its feature at another token than the one that ends a text.
void require_fit(const TextTransformerConfig& encoder, const Tokenizer& tokenizer);

}  // namespace actionclip
