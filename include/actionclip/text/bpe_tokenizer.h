// CLIP's tokenizer: byte-level byte-pair encoding (BPE) with 49,408 entries over cleaned, lower-cased text.
//
// A text is cleaned (NFC, HTML entities resolved twice, white space collapsed, lower-cased), split into words
// (the two special tokens, English contractions, runs of letters, single digits, runs of other characters),
// and each word's UTF-8 bytes are merged by the vocabulary's ranks, the last symbol of a word marked as its
// end.
//
// The ids are those of open_clip's tokenizer for every text that ftfy.fix_text leaves as it is. Python's CLIP
// repairs other texts first (mis-decoded characters, curly quotes, ligatures, full-width letters); of that
// only NFC is done here, the rest is tokenised as written. Letters and digits are those of ICU's Unicode
// version (72: Unicode 15): characters assigned later count as "other", so a run of them is one word here and
// may be split differently by a newer Python `regex` package.
//
// Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
// section 2.4.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/tokenizer.h"

namespace actionclip {

namespace detail {
class BytePairEncoder;

// The first of `places` where there is a file.
std::filesystem::path find_vocabulary(std::span<const std::filesystem::path> places);
}  // namespace detail

// Where the set-up left CLIP's merges: ../share/actionclip/ beside the program, else .cache/ of the source
// checkout. Throws Error (it says to run scripts/setup.sh) if neither is there.
std::filesystem::path default_vocabulary_path();

class BpeTokenizer : public Tokenizer {
 public:
  // `vocabulary`: CLIP's bpe_simple_vocab_16e6.txt, plain or gzip. Throws Error (file:line) if it is missing
  // or damaged.
  explicit BpeTokenizer(const std::filesystem::path& vocabulary);
  ~BpeTokenizer() override;

  // The spellings <start_of_text> and <end_of_text> in `text` give the special tokens, as in open_clip.
  std::vector<std::int64_t> encode(std::string_view text) const override;

  std::int64_t vocabulary_size() const override;
  std::optional<std::int64_t> start_token() const override;
  std::int64_t end_token() const override;

  // Of the merges in use: further lines of the file, and whether it is compressed, do not matter.
  std::string fingerprint() const override { return fingerprint_; }

 private:
  std::unique_ptr<const detail::BytePairEncoder> encoder_;
  std::string fingerprint_;
};

}  // namespace actionclip
