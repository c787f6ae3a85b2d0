// Settings of the text side: the `text:` section of an experiment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/types.h"

namespace actionclip {

// clip: CLIP's byte-pair encoding; sentencepiece: a SentencePiece model, of its own vocabulary.
enum class TokenizerKind { clip, sentencepiece };
BOOST_DESCRIBE_ENUM(TokenizerKind, clip, sentencepiece)

// Where a template's text stands (ActionCLIP, section 3.2): prefix before the label, cloze on both sides of
// it, suffix behind it. The label alone, "{}", is of none of the three.
enum class TemplateStyle { all, prefix, cloze, suffix };
BOOST_DESCRIBE_ENUM(TemplateStyle, all, prefix, cloze, suffix)

struct TextConfig {
  TokenizerKind tokenizer = TokenizerKind::clip;
  // clip: the merges file; empty: the one that the set-up fetched (found beside the program). sentencepiece:
  // the .model file.
  InputPath vocabulary;
  std::string sha256;  // of the vocabulary's file, which is refused if it has another; empty: any
  // sentencepiece: the pieces ("</s>") that begin, end and fill up a row of tokens. Not given: those that the
  // model declares. It may have no start (as T5's), and `start_token: ""` uses none; without a piece to pad
  // with, rows are filled with 0, which nothing behind the end token reads.
  std::optional<std::string> start_token, end_token, pad_token;
  InputPath templates;  // YAML file with the prompt templates; empty: the label text alone ("{}")
  TemplateStyle template_style = TemplateStyle::all;  // of the templates, those of this style alone
  InputPath descriptions;  // YAML file with sentences that fill the templates in the place of each label
  bool truncate =
      false;  // cut texts longer than the context length (end token kept) instead of refusing them
  bool fix_text = false;  // no gradient through the text encoder

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(TextConfig, (),
                      (tokenizer, vocabulary, sha256, start_token, end_token, pad_token, templates,
                       template_style, descriptions, truncate, fix_text))

}  // namespace actionclip
