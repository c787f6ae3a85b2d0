// actionclip predict: ranked labels for video files, images and frame folders.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/progress.h"
#include "actionclip/eval/explanation_folder.h"
#include "actionclip/eval/prediction.h"
#include "actionclip/protocols/video_classifier.h"
#include "actionclip/text/labels.h"
#include "actionclip/weights/preprocessing.h"

#include "src/weights/tensor_bounds.h"
#include "tools/command.h"
#include "tools/text_cache_option.h"
#include "tools/weights_report.h"

namespace actionclip {
namespace {

constexpr std::int64_t kDefaultFrames = 8;  // the method's

struct PredictOptions {
  std::string weights;
  std::string labels;
  std::string templates;
  std::string descriptions;
  std::string vocabulary;
  std::string ensemble = boost::describe::enum_to_string(EvalConfig().ensemble, "");
  std::vector<std::string> videos;
  std::string device = "auto";
  std::optional<std::int64_t> frames;
  std::string explain;
  std::int64_t top = 5;
  ResultFolder output;
  TextCacheOption text_cache;
  bool truncate = false;
  bool json = false;
};

LoadedWeights load(const PredictOptions& options) {
  auto weights = load_weights(options.weights, options.frames.value_or(kDefaultFrames));
  const auto frames = weights.config.fusion.frames;
  if (options.frames && *options.frames != frames) {
    throw UsageError(fmt::format("--frames {}: the weights are of a model that has {}; leave it out",
                                 *options.frames, frames));
  }
  warn_of_assumed(weights, weights.told);
  return weights;
}

// Options that the weights want, or make useless.
void check_options(const PredictOptions& options, const LoadedWeights& weights) {
  if (options.labels.empty() && read_text_list(weights, std::string(kLabelsKey)).empty())
    throw UsageError("the weights name no labels: give --labels FILE");
  if (weights.config.context.length > 0 && !options.templates.empty())
    throw UsageError("--templates: without effect, as the weights have a learned context; leave it out");
  const Preprocessing preprocessing = read_preprocessing(weights);
  if (preprocessing.tokenizer == TokenizerKind::sentencepiece && options.vocabulary.empty()) {
    throw UsageError(
        fmt::format("the weights were trained with a SentencePiece model, which they do not hold: give it "
                    "with --vocabulary FILE (its SHA-256 is {})",
                    preprocessing.vocabulary));
  }
}

std::vector<std::string> ensemble_names() {
  std::vector<std::string> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Ensemble>>(
      [&](auto enumerator) { names.emplace_back(enumerator.name); });
  return names;
}

Ensemble ensemble_of(const std::string& name) {
  Ensemble ensemble{};
  boost::describe::enum_from_string(name.c_str(), ensemble);
  return ensemble;
}

// With files that explain it, where there are `folders`, which then gave this video its `number`.
Prediction predict_video(VideoClassifier& classifier, const std::string& video,
                         const std::optional<ExplanationFolders>& folders, std::size_t number) {
  if (!folders) return classifier.classify(video);
  const auto explained =
      explain(classifier.classifier(), classifier.labels(), classifier.test_resize(), video);
  if (explained.prediction.error.empty()) {
    folders->write(number, explained);
  } else {
    folders->remove(number);
  }
  return explained.prediction;
}

void print_table(const Prediction& prediction, std::int64_t top) {
  fmt::print("{}\n", prediction.video);
  if (!prediction.error.empty()) {
    fmt::print("  failed: {}\n", prediction.error);
    return;
  }
  for (std::int64_t i = 0; i < std::min(top, static_cast<std::int64_t>(prediction.predictions.size())); ++i) {
    const auto& [label, probability, similarity] = prediction.predictions[i];
    // A label of the weights' metadata may hold what controls a terminal.
    fmt::print("  {:>6.2f} %  {:>7.4f}  {}\n", 100 * probability, similarity, on_one_line(label));
  }
}

VideoClassifier open_classifier(const PredictOptions& options) {
  LoadedWeights weights = load(options);
  check_options(options, weights);
  std::optional<LabelSet> labels;
  if (!options.labels.empty()) labels = read_labels(options.labels);
  return VideoClassifier(std::move(weights), labels,
                         {.templates = options.templates,
                          .descriptions = options.descriptions,
                          .vocabulary = options.vocabulary,
                          .truncate = options.truncate,
                          .ensemble = ensemble_of(options.ensemble),
                          .text_cache = options.text_cache.open(),
                          .device = choose_device(options.device)});
}

int predict_command(const PredictOptions& options) {
  options.output.open();
  std::optional<ExplanationFolders> explanations;
  if (!options.explain.empty()) explanations.emplace(options.explain, options.videos);
  VideoClassifier classifier = open_classifier(options);
  auto results = nlohmann::ordered_json::array();
  bool failed = false;
  ProgressBar bar("predict", static_cast<std::int64_t>(options.videos.size()), "videos");
  for (std::size_t i = 0; i < options.videos.size(); ++i) {
    const auto prediction = predict_video(classifier, options.videos[i], explanations, i);
    failed = failed || !prediction.error.empty();
    results.push_back(to_json(prediction));
    const auto explanation =
        explanations && prediction.error.empty() ? explanations->folder(i).string() : std::string();
    if (!explanation.empty()) results.back()["explanation"] = explanation;
    if (!options.json) {
      const auto pause = ProgressBar::pause_drawing();
      print_table(prediction, options.top);
      if (!explanation.empty()) fmt::print("  explained in {}\n", explanation);
    }
    bar.advance(1);
  }
  const std::string text = json_text(results) + "\n";
  if (options.json) fmt::print("{}", text);
  options.output.write("predictions.json", text);
  return failed ? kExitError : kExitDone;
}

}  // namespace

void add_predict_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<PredictOptions>();
  auto* command = program.add_subcommand("predict", "ranked labels for videos");
  command->add_option("--weights", options->weights, "weights file or checkpoint folder")->required();
  command->add_option("--labels", options->labels,
                      "CSV `id,name` or a label a line; default: those that the weights were trained on");
  command->add_option("--templates", options->templates,
                      "prompt templates (YAML); default: those of the weights, else the method's 16");
  command->add_option("--descriptions", options->descriptions,
                      "sentences for each label (YAML); default: those of the weights, without --labels");
  command->add_option(
      "--vocabulary", options->vocabulary,
      "merges file or SentencePiece model, where the weights were trained with another than CLIP's");
  command
      ->add_option("--ensemble", options->ensemble,
                   "mean_of_softmax: average the probabilities of a label's prompts; mean_embedding: average "
                   "their embeddings")
      ->check(CLI::IsMember(ensemble_names()))
      ->capture_default_str();
  command->add_option("--frames", options->frames, "frames a video where the weights do not tell")
      ->check(CLI::Range(1, 1024))
      ->default_str(std::to_string(kDefaultFrames));
  command->add_option("--top", options->top, "labels shown a video (--json: all)")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--explain", options->explain,
                      "folder that gets a folder for each video: the similarity of its frames to the labels "
                      "over time, which frame decided, and where the image encoder looked");
  command->add_flag("--truncate", options->truncate,
                    "cut texts that are longer than the context, as is done anyway where the weights were "
                    "trained so");
  command->add_flag("--json", options->json, "print a JSON array");
  options->output.add_to(*command);
  options->text_cache.add_to(*command);
  add_device_option(*command, options->device);
  command->add_option("videos", options->videos, "video files, images or folders of frames")->required();
  command->footer(
      "Example:\n  actionclip predict --weights k400_vit_b16.pt --labels kinetics_400_labels.csv clip.mp4\n"
      "A video that cannot be decoded is reported, the others are still printed, and the exit code is 1.\n"
      "--output gets predictions.json; --explain gets explanation.json, similarity.csv, similarity.svg,\n"
      "attention.png, attention.mp4 and attention/ for each video.");
  command->callback([options, &exit_code] { exit_code = predict_command(*options); });
}

}  // namespace actionclip
