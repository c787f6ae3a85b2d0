// Labels x templates -> tokens: what the text encoder reads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actionclip/text/descriptions.h"
#include "actionclip/text/tokenizer.h"

namespace actionclip {

// How many learned vectors stand before a prompt's label and behind it.
struct Placeholders {
  std::int64_t before = 0, behind = 0;

  std::int64_t count() const { return before + behind; }  // M
};

// Fills templates with C labels, or with descriptions of them, and tokenises every prompt once, to rows of L
// tokens. Immutable: any number of threads may use it.
//
// A label has P prompts: as many as there are templates, times as many as the label with the most
// descriptions has of those. A label with fewer has them repeated in turn, so that what is averaged over its
// prompts is of its own; where P is no multiple of its number, the first of them count once more.
class PromptGenerator {
 public:
  // `labels` and `descriptions` by label_id; without descriptions, the labels themselves fill the templates.
  // Throws Error if there is no label or no template, on a template without exactly one "{}", on labels
  // without a description where others have them, and on a prompt of more than L = `context_length` tokens,
  // unless `truncate`.
  //
  // With `placeholders`, the prompt of a label is the label between them, and neither templates nor
  // descriptions are used (P = 1): start token, placeholders, label, placeholders, end token. No full stop
  // follows, other than in CoOp's own code: the method's templates have none, so that a context that starts
  // from the words of one gives what that template gives. A label is cut, never its placeholders.
  PromptGenerator(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> labels,
                  std::vector<std::string> templates, std::int64_t context_length, bool truncate = false,
                  Descriptions descriptions = {}, Placeholders placeholders = {});

  std::int64_t num_prompts() const;                                                      // P
  std::int64_t num_labels() const { return static_cast<std::int64_t>(labels_.size()); }  // C
  std::int64_t context_length() const { return context_length_; }                        // L
  std::int64_t num_placeholders() const { return placeholders_.count(); }                // M
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::string>& templates() const { return templates_; }
  const Descriptions& descriptions() const { return descriptions_; }  // empty: there are none
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  // All prompts: row-major [P, C, L]. Lives as long as the generator, as the rows below do.
  std::span<const std::int64_t> all() const { return tokens_; }

  // One prompt: [L].
  std::span<const std::int64_t> tokens(std::int64_t prompt_index, std::int64_t label_id) const;

  // Where the placeholders of each label's prompt stand in its row: row-major [C, M], ascending; empty
  // without any. What the rows hold there is no token of the text.
  std::span<const std::int64_t> placeholder_positions() const { return positions_; }

  // The prompt of a training sample: [L], of a template and one of the label's own descriptions, drawn from
  // (seed, epoch, index) alone.
  std::span<const std::int64_t> random(std::uint64_t seed, std::int64_t epoch, std::int64_t index,
                                       std::int64_t label_id) const;

  // A prompt as text, without placeholders.
  std::string prompt(std::int64_t prompt_index, std::int64_t label_id) const;

 private:
  void place_labels(bool truncate);

  // How many sentences a label has to fill a template with: its own, and the most of all labels.
  std::int64_t num_sentences(std::int64_t label_id) const;
  std::int64_t most_sentences() const;
  std::string fill(std::int64_t prompt_index, std::int64_t label_id) const;

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::string> labels_;
  std::vector<std::string> templates_;
  Descriptions descriptions_;
  std::int64_t context_length_;
  Placeholders placeholders_;
  std::vector<std::int64_t> tokens_;
  std::vector<std::int64_t> positions_;  // of the placeholders
};

}  // namespace actionclip
