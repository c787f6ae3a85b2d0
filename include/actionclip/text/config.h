// Settings of the text side: the `text:` section of an experiment.
#pragma once

#include <cstdint>
#include <string>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/types.h"

namespace actionclip {

enum class TokenizerKind { clip };
BOOST_DESCRIBE_ENUM(TokenizerKind, clip)

struct TextConfig {
  TokenizerKind tokenizer = TokenizerKind::clip;
  InputPath
      vocabulary;  // CLIP's merges file; empty: the one that the set-up fetched (found beside the program)
  InputPath templates;  // YAML file with the prompt templates; empty: the label text alone ("{}")
  bool truncate =
      false;  // cut texts longer than the context length (end token kept) instead of refusing them
  bool fix_text = false;  // no gradient through the text encoder
};
BOOST_DESCRIBE_STRUCT(TextConfig, (), (tokenizer, vocabulary, templates, truncate, fix_text))

}  // namespace actionclip
