// Embeddings of prompts: encoded in batches, and kept in a folder, so that the next start with the same
// weights and prompts has them at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/model/config.h"

namespace actionclip {

// Prompts: tokens [P, C, L], and with a learned context placeholders [C, M] and label_ids [C] -> normalised
// embeddings [P, C, D], fp32, on the model's device. The model is put into evaluation mode. A few hundred
// prompts go through the text encoder in one forward, however many there are: that bounds the memory, and
// changes the embeddings by rounding only.
at::Tensor encode_prompts(ActionClip& model, const TextInput& prompts, Precision precision = Precision::fp32);

// What the embeddings depend on, as a hash (hexadecimal SHA-256): the weights and sizes of the text encoder
// and of a learned context, the tokens (which are what labels, templates, descriptions and tokeniser come to)
// and the places of the context in them; and what changes their rounding: precision, kind of device, version
// of torch. What becomes of a label's prompts (Ensemble) is not part of it.
std::string embeddings_key(const ActionClip& model, const TextInput& prompts, Precision precision);

// A folder of embeddings, a file KEY.safetensors each. Files appear whole or not at all, so that any number
// of processes may use one folder. A cache never fails its user: what is damaged, or cannot be read or
// written, is warned of and encoded anew. When the files come to more than `max_bytes`, those are removed
// that have not been used for the longest time.
class TextCache {
 public:
  static constexpr std::uintmax_t kMaxBytes = std::uintmax_t{2} << 30;

  // Keeps nothing.
  TextCache() = default;

  // The folder is made when there is something to keep. `writes`: false for ranks other than 0, of which each
  // would write the same.
  explicit TextCache(std::filesystem::path folder, bool writes = true, std::uintmax_t max_bytes = kMaxBytes);

  // As encode_prompts().
  at::Tensor embeddings(ActionClip& model, const TextInput& prompts, Precision precision) const;

 private:
  std::optional<at::Tensor> read(const std::filesystem::path& file, const std::string& key,
                                 at::IntArrayRef shape) const;
  void write(const std::filesystem::path& file, const std::string& key, const at::Tensor& embeddings) const;
  void remove_oldest() const;

  std::filesystem::path folder_;  // empty: there is none
  bool writes_ = false;
  std::uintmax_t max_bytes_ = kMaxBytes;
};

}  // namespace actionclip
