// Byte-pair encoding of words: the vocabulary's merges and the algorithm that applies them.
// Written here because the packaged BPE libraries (sentencepiece) know neither CLIP's byte alphabet nor its
// end-of-word marker.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace actionclip::detail {

// Token ids: 0-255 the bytes in the order of CLIP's alphabet, 256-511 the same bytes at the end of a word,
// then merge k is 512 + k.
class BytePairEncoder {
 public:
  // `merges`: a header line that holds "#version", then a merge a line, "LEFT RIGHT", best first; the first
  // `count` are used, as CLIP does. Throws Error (name:line) on too few lines, on a line of another form, on
  // unknown symbols and on a symbol made twice.
  BytePairEncoder(std::string_view merges, const std::string& name, std::int64_t count);

  std::int64_t size() const;  // number of token ids

  // Appends the token ids of `word`, which is one word whatever its bytes. O(n log n) in its bytes.
  void encode(std::string_view word, std::vector<std::int64_t>& tokens) const;

 private:
  std::array<std::int32_t, 256> byte_tokens_{};
  std::unordered_map<std::uint64_t, std::int32_t> ranks_;  // (left token, right token) -> rank
};

}  // namespace actionclip::detail
