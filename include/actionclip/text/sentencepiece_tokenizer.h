// SentencePiece models (unigram, BPE, word, char), for vocabularies of one's own and multilingual text
// towers.
//
// A model normalises and splits a text by itself; what stands around its pieces differs between towers and is
// chosen here. The ids are those of PyPI's sentencepiece, but for a text that a unigram model can split in
// two equally probable ways ("hahaha": "haha" first or last): which of them it takes, rounding decides, and
// the version.
//
// Source: Kudo and Richardson, "SentencePiece: A simple and language independent subword tokenizer and
// detokenizer for Neural Text Processing", 2018.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/tokenizer.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace actionclip {

// The pieces that begin, end and fill up a row of tokens. Not given: those that the model declares, of which
// it may lack the start, and the padding, which is then token 0.
struct SpecialPieces {
  std::optional<std::string> start;  // "": none
  std::optional<std::string> end, pad;
};

class SentencePieceTokenizer : public Tokenizer {
 public:
  // `model`: the bytes of a .model file; `name` stands for it in messages. Throws Error if it is damaged,
  // lacks a piece, or has no end: one that it declares, or a control symbol that `pieces` names, as no text
  // may hold it.
  SentencePieceTokenizer(std::string_view model, const std::string& name, const SpecialPieces& pieces = {});
  ~SentencePieceTokenizer() override;

  std::vector<std::int64_t> encode(std::string_view text) const override;

  std::int64_t vocabulary_size() const override;
  std::optional<std::int64_t> start_token() const override { return start_; }
  std::int64_t end_token() const override { return end_; }
  std::int64_t pad_token() const override { return pad_; }

  // Of the file.
  std::string fingerprint() const override { return fingerprint_; }

 private:
  std::unique_ptr<const sentencepiece::SentencePieceProcessor> processor_;
  std::optional<std::int64_t> start_;
  std::int64_t end_ = 0, pad_ = 0;
  std::string fingerprint_;
};

}  // namespace actionclip
