// --text-cache: where embeddings of prompts are kept from one start to the next.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "actionclip/eval/text_cache.h"

namespace actionclip {

struct TextCacheOption {
  std::string folder;  // empty: the user's

  void add_to(CLI::App& command);

  // The cache that `rank` uses: all read, rank 0 writes.
  TextCache open(int rank = 0) const;
};

}  // namespace actionclip
