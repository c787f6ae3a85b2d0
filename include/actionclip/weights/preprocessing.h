// How clips and texts were prepared for a model: kept in the metadata of its weights file, so that whoever
// uses the file alone prepares them alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/text/config.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

// Key of a native weights file's metadata: a JSON list of the names of the labels that a model was trained
// with.
inline constexpr std::string_view kLabelsKey = "actionclip.labels";

struct Preprocessing {
  std::int64_t test_resize = 0;  // short side of a test frame before the crop; 0: default_test_resize()
  bool truncate = false;         // texts that are longer than the context
  TokenizerKind tokenizer = TokenizerKind::clip;
  std::string vocabulary;                                        // Tokenizer::fingerprint(); empty: not known
  std::optional<std::string> start_token, end_token, pad_token;  // as TextConfig has them

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(Preprocessing, (),
                      (test_resize, truncate, tokenizer, vocabulary, start_token, end_token, pad_token))

// Metadata of a weights file.
std::map<std::string, std::string> to_metadata(const Preprocessing& preprocessing);

// What the metadata of `weights` say, else the defaults; test_resize is resolved (not 0). Throws WeightsError
// on metadata that are damaged or do not fit the model.
Preprocessing read_preprocessing(const LoadedWeights& weights);

// Settings for the tokenizer that the weights were trained with, but for the file of its vocabulary.
TextConfig tokenizer_settings(const Preprocessing& preprocessing);

// Throws Error if the weights were trained with another vocabulary than that of `tokenizer`, which came from
// the settings `text`, or with another start, end or padding. `setting` is what names the vocabulary
// ("--vocabulary").
void require_vocabulary(const Preprocessing& preprocessing, const Tokenizer& tokenizer,
                        const TextConfig& text, std::string_view setting);

// Metadata that are a JSON list of texts (the labels, the templates), or a list of such lists (the
// descriptions); empty where there are none. Throw WeightsError on anything else.
std::vector<std::string> read_text_list(const LoadedWeights& weights, const std::string& key);
std::vector<std::vector<std::string>> read_text_lists(const LoadedWeights& weights, const std::string& key);

}  // namespace actionclip
