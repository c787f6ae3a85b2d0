// Text -> token ids, behind one interface for every vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/config.h"

namespace actionclip {

// Immutable once built: any number of threads may use one tokenizer.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Token ids of `text` (UTF-8) between the start token, where there is one, and the end token; not padded.
  // Throws Error on invalid UTF-8.
  virtual std::vector<std::int64_t> encode(std::string_view text) const = 0;

  virtual std::int64_t vocabulary_size() const = 0;
  virtual std::optional<std::int64_t> start_token() const = 0;
  virtual std::int64_t end_token() const = 0;
  virtual std::int64_t pad_token() const { return 0; }

  // SHA-256 of the vocabulary: tokenizers of one kind with the same one give the same ids between start and
  // end.
  virtual std::string fingerprint() const = 0;
};

// The tokenizer that the settings name. Throws Error if its vocabulary is missing or damaged, or its file is
// not the one of text.sha256; a SentencePiece model without that is read with a warning.
std::shared_ptr<const Tokenizer> make_tokenizer(const TextConfig& config);

// Token rows of N texts, padded behind the end token: row-major [N, L], L = `context_length` >= 2.
// A text of more than L tokens (start and end included) is cut, its end token kept, if `truncate`; else Error
// names it.
std::vector<std::int64_t> tokenize(const Tokenizer& tokenizer, std::span<const std::string> texts,
                                   std::int64_t context_length, bool truncate);

}  // namespace actionclip
