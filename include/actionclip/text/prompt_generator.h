// Labels x templates -> tokens: what the text encoder reads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actionclip/text/tokenizer.h"

namespace actionclip {

// Fills P templates with C labels and tokenises every prompt once, to rows of L tokens. Immutable: any number
// of threads may use it.
class PromptGenerator {
 public:
  // `labels` by label_id. Throws Error if there is no label or no template, on a template without exactly one
  // "{}", and on a prompt of more than L = `context_length` tokens, unless `truncate`.
  PromptGenerator(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> labels,
                  std::vector<std::string> templates, std::int64_t context_length, bool truncate = false);

  std::int64_t num_templates() const { return static_cast<std::int64_t>(templates_.size()); }  // P
  std::int64_t num_labels() const { return static_cast<std::int64_t>(labels_.size()); }        // C
  std::int64_t context_length() const { return context_length_; }                              // L
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::string>& templates() const { return templates_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  // All prompts: row-major [P, C, L]. Lives as long as the generator, as the rows below do.
  std::span<const std::int64_t> all() const { return tokens_; }

  // One prompt: [L].
  std::span<const std::int64_t> tokens(std::int64_t template_index, std::int64_t label_id) const;

  // The prompt of a training sample: [L], of a template drawn from (seed, epoch, index) alone.
  std::span<const std::int64_t> random(std::uint64_t seed, std::int64_t epoch, std::int64_t index,
                                       std::int64_t label_id) const;

  // A prompt as text.
  std::string prompt(std::int64_t template_index, std::int64_t label_id) const;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::string> labels_;
  std::vector<std::string> templates_;
  std::int64_t context_length_;
  std::vector<std::int64_t> tokens_;
};

}  // namespace actionclip
