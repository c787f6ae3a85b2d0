#include "actionclip/protocols/video_classifier.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/text/descriptions.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/text/templates.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/train/experiment_data.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/weights/initialize.h"
#include "actionclip/weights/preprocessing.h"

namespace actionclip {
namespace {

LabelSet trained_labels(const LoadedWeights& weights) {
  auto names = read_text_list(weights, std::string(kLabelsKey));
  if (names.empty()) throw Error(with_file(weights, "names no labels: give them (predict's --labels)"));
  return LabelSet(std::move(names));
}

// Those given, else those that the weights were trained with, else the method's. A learned context does
// without.
std::vector<std::string> choose_templates(const VideoClassifierOptions& options,
                                          const LoadedWeights& weights) {
  if (weights.config.context.length > 0) return {"{}"};
  if (!options.templates.empty()) return read_templates(options.templates);
  auto trained = read_text_list(weights, std::string(kTemplatesKey));
  return trained.empty() ? read_templates(default_templates_path()) : trained;
}

// Those given, else those that the weights were trained with, which are of their own labels alone.
Descriptions choose_descriptions(const VideoClassifierOptions& options, const LoadedWeights& weights,
                                 const LabelSet& labels, bool own_labels) {
  if (!options.descriptions.empty()) return read_descriptions(options.descriptions, labels);
  if (!own_labels) return {};
  return read_text_lists(weights, std::string(kDescriptionsKey));
}

// Throws Error if it is not the one that the weights were trained with.
std::shared_ptr<const Tokenizer> choose_tokenizer(const VideoClassifierOptions& options,
                                                  const Preprocessing& preprocessing,
                                                  const LoadedWeights& weights) {
  TextConfig config = tokenizer_settings(preprocessing);
  config.vocabulary.path = options.vocabulary;
  if (config.tokenizer == TokenizerKind::sentencepiece && config.vocabulary.empty()) {
    throw Error(with_file(
        weights, fmt::format("was trained with a SentencePiece model, which it does not hold: give it "
                             "(predict's --vocabulary; its SHA-256 is {})",
                             preprocessing.vocabulary)));
  }
  auto tokenizer = make_tokenizer(config);
  require_vocabulary(preprocessing, *tokenizer, config, "--vocabulary");
  require_fit(weights.config.text, *tokenizer);
  return tokenizer;
}

}  // namespace

VideoClassifier::VideoClassifier(const std::filesystem::path& weights, const std::optional<LabelSet>& labels,
                                 const VideoClassifierOptions& options)
    : VideoClassifier(load_weights(weights), labels, options) {}

VideoClassifier::VideoClassifier(LoadedWeights weights, const std::optional<LabelSet>& labels,
                                 const VideoClassifierOptions& options)
    : labels_(labels ? *labels : trained_labels(weights)), model_(weights.config) {
  require_classified(weights, labels_);
  require_labels_of_context(weights, labels_);
  const Preprocessing preprocessing = read_preprocessing(weights);
  test_resize_ = preprocessing.test_resize;
  const PromptGenerator prompts(
      choose_tokenizer(options, preprocessing, weights), labels_.names(), choose_templates(options, weights),
      model_.text.context_length, options.truncate || preprocessing.truncate,
      choose_descriptions(options, weights, labels_, !labels), placeholders_of(model_.context));
  ActionClip model = take_model(weights);
  model->to(options.device);
  classifier_.emplace(std::move(model), text_input(prompts), Precision::fp32, options.ensemble,
                      options.text_cache);
}

Prediction VideoClassifier::classify(const std::filesystem::path& video) {
  return predict(*classifier_, labels_.names(), model_, test_resize_, video);
}

}  // namespace actionclip
