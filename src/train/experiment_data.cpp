#include "actionclip/train/experiment_data.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/joined_names.h"
#include "actionclip/text/descriptions.h"
#include "actionclip/text/templates.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/weights/initialize.h"

namespace actionclip {
namespace {

// The words that a fresh context starts from.
std::vector<std::int64_t> context_tokens(const ContextConfig& config, const Tokenizer& tokenizer) {
  if (config.length == 0 || config.init.empty()) return {};
  auto tokens = tokenizer.encode(config.init);
  tokens.pop_back();  // the end token
  if (!tokens.empty() && tokens.front() == tokenizer.start_token()) tokens.erase(tokens.begin());
  if (std::ssize(tokens) != config.length) {
    throw ConfigError(fmt::format(
        "model.context.init: \"{}\" has {} tokens, but model.context.length is {}: they must be the same",
        config.init, tokens.size(), config.length));
  }
  return tokens;
}

// Throws ConfigError unless there is one value for each channel.
std::array<double, 3> channels_of(const std::vector<double>& values, std::string_view key) {
  if (values.size() != 3) {
    throw ConfigError(
        fmt::format("model.{}: needs 3 values (red, green, blue), found {}", key, values.size()));
  }
  return {values[0], values[1], values[2]};
}

}  // namespace

InputStatistics input_statistics(const ActionClipConfig& model) {
  return {.mean = channels_of(model.mean, "mean"), .std = channels_of(model.std, "std")};
}

ClipDatasetOptions clip_options(const Experiment& experiment, std::int64_t image_size, std::int64_t frames,
                                std::int64_t classes) {
  ClipDatasetOptions options;
  options.frames = frames;
  options.classes = classes;
  options.sampling = experiment.data.sampling;
  options.clips = experiment.eval.clips;
  options.crops = experiment.eval.crops;
  options.transforms = resolve(experiment.data.transforms, image_size);
  if (const auto& mean = experiment.model.mean) options.input.mean = channels_of(*mean, "mean");
  if (const auto& std = experiment.model.std) options.input.std = channels_of(*std, "std");
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  options.max_failed_share = experiment.data.max_failed_share;
  options.video_seconds = experiment.data.video_seconds;
  return options;
}

PromptGenerator make_prompt_generator(const TextConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                                      const LabelSet& labels, const ActionClipConfig& model) {
  std::vector<std::string> templates = {"{}"};
  Descriptions descriptions;
  if (model.context.length == 0) {
    if (!config.templates.empty()) templates = read_templates(config.templates.path, config.template_style);
    if (!config.descriptions.empty()) descriptions = read_descriptions(config.descriptions.path, labels);
  }
  return PromptGenerator(std::move(tokenizer), labels.names(), std::move(templates),
                         model.text.context_length, config.truncate, std::move(descriptions),
                         placeholders_of(model.context));
}

ActionClip start_model(const Experiment& experiment, const Tokenizer& tokenizer,
                       const std::vector<std::string>& labels) {
  return build_model(experiment.model, static_cast<std::uint64_t>(experiment.seed),
                     context_tokens(experiment.model.context, tokenizer), labels);
}

void require_labels_of_context(const LoadedWeights& weights, const LabelSet& labels) {
  if (weights.config.context.classes != labels.size()) return;  // shared, or the classifier says so
  const auto trained = read_text_list(weights, std::string(kLabelsKey));
  if (trained.empty() || trained == labels.names()) return;
  throw Error(with_file(
      weights,
      fmt::format("the learned context has vectors of its own for each label that it was trained with "
                  "(class-specific), but {} has other labels or another order",
                  labels.source())));
}

void require_captions_fit(const VideoList& list, const Tokenizer& tokenizer, std::int64_t context_length) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> lines;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    if (std::ssize(tokenizer.encode(entry.caption)) > context_length)
      lines.push_back(std::to_string(entry.line));
  }
  if (lines.empty()) return;
  throw Error(
      fmt::format("{}: {} captions have more than the {} tokens that the context holds, in line {}; shorten "
                  "them, or set text.truncate",
                  list.file().string(), lines.size(), context_length, joined_names(lines, kNamed)));
}

Preprocessing preprocessing_of(const Experiment& experiment, const Tokenizer& tokenizer,
                               std::int64_t image_size) {
  return {.test_resize = resolve(experiment.data.transforms, image_size).test_resize,
          .truncate = experiment.text.truncate,
          .tokenizer = experiment.text.tokenizer,
          .vocabulary = tokenizer.fingerprint(),
          .start_token = experiment.text.start_token,
          .end_token = experiment.text.end_token,
          .pad_token = experiment.text.pad_token};
}

void require_classified(const LoadedWeights& weights, const LabelSet& labels) {
  if (weights.config.classes == 0) return;
  const auto trained = read_text_list(weights, std::string(kLabelsKey));
  const auto classes = trained.empty() ? weights.config.classes : std::ssize(trained);
  std::string difference;
  if (labels.size() != classes) {
    difference = fmt::format("{} labels are given", labels.size());
  } else if (!trained.empty()) {
    const auto [own, given] = std::mismatch(trained.begin(), trained.end(), labels.names().begin());
    if (own != trained.end()) {
      difference = fmt::format("label {} is '{}' there and '{}' in what is given", own - trained.begin(),
                               *own, *given);
    }
  }
  if (difference.empty()) return;
  throw Error(with_file(
      weights,
      fmt::format("ends in a linear classifier of the {} labels that it was trained on, and knows no "
                  "others, but {}; give these labels, or weights that match texts",
                  classes, difference)));
}

TextInput text_input(const PromptGenerator& prompts) {
  const auto tensor_of = [](std::span<const std::int64_t> values, at::IntArrayRef shape) {
    return at::tensor(at::IntArrayRef(values.data(), values.size()), at::kLong).view(shape);
  };
  const std::int64_t labels = prompts.num_labels(), places = prompts.num_placeholders();
  auto tokens = tensor_of(prompts.all(), {prompts.num_prompts(), labels, prompts.context_length()});
  if (places == 0) return tokens;
  return {std::move(tokens), tensor_of(prompts.placeholder_positions(), {labels, places}),
          at::arange(labels, at::kLong)};
}

}  // namespace actionclip
