// actionclip dataset tokenizer: learns a SentencePiece vocabulary from texts.
#pragma once

#include <CLI/CLI.hpp>

namespace actionclip {

void add_dataset_tokenizer(CLI::App& dataset);

}  // namespace actionclip
