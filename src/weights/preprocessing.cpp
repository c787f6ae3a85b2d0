#include "actionclip/weights/preprocessing.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/video/config.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr const char* kPreprocessingKey = "actionclip.preprocessing";
constexpr double kMaxSide = 8192;  // pixels

// What the weights were trained with, in words.
std::string describe_vocabulary(const Preprocessing& preprocessing) {
  return preprocessing.tokenizer == TokenizerKind::sentencepiece
             ? fmt::format("a SentencePiece model of SHA-256 {}, another vocabulary",
                           preprocessing.vocabulary)
             : "another vocabulary";
}

void require_same_piece(const char* key, const std::optional<std::string>& trained,
                        const std::optional<std::string>& given) {
  const auto describe = [](const auto& piece) {
    return piece ? fmt::format("\"{}\"", *piece) : std::string("the vocabulary's own (key not given)");
  };
  if (trained == given) return;
  throw Error(fmt::format("text.{}: the weights were trained with {}, found {}", key, describe(trained),
                          describe(given)));
}

// The value of type T that is the JSON text of a key, T() where the metadata lack it; `what` names the type.
template <typename T>
T read_json(const LoadedWeights& weights, const std::string& key, const char* what) {
  const auto found = weights.metadata.find(key);
  if (found == weights.metadata.end()) return {};
  try {
    return nlohmann::json::parse(found->second).get<T>();
  } catch (const nlohmann::json::exception& problem) {
    throw WeightsError(with_file(weights, fmt::format("metadata of the weights: {}: not {}: {}", key, what,
                                                      on_one_line(problem.what()))));
  }
}

}  // namespace

void Preprocessing::check(ConfigChecker& checker) const {
  checker.in_range("test_resize", static_cast<double>(test_resize), 0, kMaxSide);
}

std::map<std::string, std::string> to_metadata(const Preprocessing& preprocessing) {
  return {{kPreprocessingKey, write_config(preprocessing)}};
}

Preprocessing read_preprocessing(const LoadedWeights& weights) {
  Preprocessing preprocessing;
  const auto image_size = weights.config.vision.image_size;
  if (const auto found = weights.metadata.find(kPreprocessingKey); found != weights.metadata.end()) {
    try {
      preprocessing = read_config<Preprocessing>(parse_yaml(found->second, kPreprocessingKey));
    } catch (const ConfigError& problem) {
      const auto findings = on_one_line(problem.what());
      throw WeightsError(with_file(weights, fmt::format("metadata of the weights: {}", findings)));
    }
  }
  if (preprocessing.test_resize == 0) preprocessing.test_resize = default_test_resize(image_size);
  if (preprocessing.test_resize < image_size) {
    throw WeightsError(with_file(
        weights, fmt::format("metadata of the weights: {}: test_resize {} is smaller than the images, {}",
                             kPreprocessingKey, preprocessing.test_resize, image_size)));
  }
  return preprocessing;
}

TextConfig tokenizer_settings(const Preprocessing& preprocessing) {
  TextConfig text;
  text.tokenizer = preprocessing.tokenizer;
  // The fingerprint of a SentencePiece model is that of its file, of CLIP's merges it is not.
  if (text.tokenizer == TokenizerKind::sentencepiece) text.sha256 = preprocessing.vocabulary;
  text.start_token = preprocessing.start_token;
  text.end_token = preprocessing.end_token;
  text.pad_token = preprocessing.pad_token;
  return text;
}

void require_vocabulary(const Preprocessing& preprocessing, const Tokenizer& tokenizer,
                        const TextConfig& text, std::string_view setting) {
  if (preprocessing.vocabulary.empty()) return;
  if (preprocessing.vocabulary != tokenizer.fingerprint()) {
    const bool other_kind = preprocessing.tokenizer != text.tokenizer;
    throw Error(fmt::format(
        "the weights were trained with {} than {}: name it with {}{}", describe_vocabulary(preprocessing),
        text.vocabulary.empty() ? "CLIP's" : text.vocabulary.string(), setting,
        other_kind ? fmt::format(", and set text.tokenizer to {}",
                                 boost::describe::enum_to_string(preprocessing.tokenizer, ""))
                   : ""));
  }
  require_same_piece("start_token", preprocessing.start_token, text.start_token);
  require_same_piece("end_token", preprocessing.end_token, text.end_token);
  require_same_piece("pad_token", preprocessing.pad_token, text.pad_token);
}

std::vector<std::string> read_text_list(const LoadedWeights& weights, const std::string& key) {
  return read_json<std::vector<std::string>>(weights, key, "a list of texts");
}

std::vector<std::vector<std::string>> read_text_lists(const LoadedWeights& weights, const std::string& key) {
  return read_json<std::vector<std::vector<std::string>>>(weights, key, "a list of lists of texts");
}

}  // namespace actionclip
