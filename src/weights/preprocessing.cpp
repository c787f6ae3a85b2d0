#include "actionclip/weights/preprocessing.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/video/config.h"

namespace actionclip {
namespace {

constexpr const char* kPreprocessingKey = "actionclip.preprocessing";
constexpr double kMaxSide = 8192;  // pixels

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
      throw WeightsError(with_file(weights, fmt::format("metadata of the weights: {}", problem.what())));
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

void require_vocabulary(const Preprocessing& preprocessing, const Tokenizer& tokenizer,
                        const std::filesystem::path& origin, std::string_view setting) {
  if (preprocessing.vocabulary.empty() || preprocessing.vocabulary == tokenizer.fingerprint()) return;
  throw Error(fmt::format("the weights were trained with another vocabulary than {}: name it with {}",
                          origin.empty() ? "CLIP's" : origin.string(), setting));
}

std::vector<std::string> read_text_list(const LoadedWeights& weights, const std::string& key) {
  const auto found = weights.metadata.find(key);
  if (found == weights.metadata.end()) return {};
  try {
    return nlohmann::json::parse(found->second).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& problem) {
    throw WeightsError(with_file(
        weights, fmt::format("metadata of the weights: {}: not a list of texts: {}", key, problem.what())));
  }
}

}  // namespace actionclip
