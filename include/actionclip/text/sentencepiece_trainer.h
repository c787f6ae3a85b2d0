// Learning a SentencePiece vocabulary from texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace actionclip {

struct SentencePieceTraining {
  std::string type = "unigram";  // unigram, bpe, word or char
  std::int64_t vocabulary_size = 8000;
  double character_coverage = 0.9995;  // share of the texts' characters that get a piece of their own
  bool lower_case = false;             // the vocabulary lower-cases (case-folds) every text
};

// The bytes of a .model file with vocabulary_size pieces (type char: as many as there are characters, if
// those are fewer), the first of them <unk>, <s>, </s> and <pad>. The same texts and settings give the same
// bytes. It normalises texts by NFKC. Throws Error for settings out of range, texts that are blank
// throughout, and a vocabulary that is too large or too small for them.
std::string train_sentencepiece(const std::vector<std::string>& texts, const SentencePieceTraining& settings);

// The texts of a file (UTF-8): captions of a CSV `path,caption`, names of a label file `id,name[,...]`, else
// a text a line. Throws Error with file:line.
std::vector<std::string> read_texts(const std::filesystem::path& file);

}  // namespace actionclip
