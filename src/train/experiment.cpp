#include "actionclip/train/experiment.h"

#include <optional>

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/train/encoder_layers.h"

namespace actionclip {
namespace {

constexpr std::int64_t kClipVocabulary = 49408;

void check_start(const ModelConfig& model, ConfigChecker& checker) {
  if (!model.weights.empty()) return;
  const bool image = model.init.image == InitSource::weights;
  const bool text = model.init.text == InitSource::weights;
  if (!image && !text) return;
  const auto* who = image && text ? "image and text encoders start"
                    : image       ? "image encoder starts"
                                  : "text encoder starts";
  const auto* settings = image && text ? "model.init.image and model.init.text"
                         : image       ? "model.init.image"
                                       : "model.init.text";
  checker.error(
      "model.weights",
      fmt::format("not given, but the {} from it; set it to a file, or {} to random", who, settings));
}

void check_labels(const Experiment& experiment, ConfigChecker& checker) {
  const DataConfig& data = experiment.data;
  bool needs_labels = false;
  for (const auto* split : {&data.train, &data.val, &data.test}) {
    needs_labels = needs_labels || (!split->list.empty() && split->format != ListFormat::captions);
  }
  if (needs_labels && data.labels.empty()) {
    checker.error("data.labels",
                  "not given, but the lists hold label ids; set it to the file with their names");
  }
  if (data.train.list.empty()) return;
  const bool captions = data.train.format == ListFormat::captions;
  if (captions && experiment.train.task != TrainTask::pretrain) {
    checker.error("data.train.format",
                  "captions have no labels, which only train.task: pretrain can do without");
  }
  if (!captions && experiment.train.task == TrainTask::pretrain) {
    checker.error(
        "data.train.format",
        "must be captions (CSV `path,caption`): train.task: pretrain learns from them, not from labels");
  }
}

// Templates beside a context are no finding, as experiments share them by their base: the prompts of a
// context do not use them.
void check_context(const Experiment& experiment, ConfigChecker& checker) {
  const ContextConfig& context = experiment.model.context;
  if (context.length > 0 && experiment.train.task == TrainTask::pretrain) {
    checker.error(
        "model.context.length",
        "must be 0 for train.task: pretrain, as a learned context stands beside labels, and captions "
        "have none");
  }
  if (context.length > 0 && !experiment.text.descriptions.empty())
    checker.error("text.descriptions", "cannot stand beside model.context: its vectors surround the label");
  if (context.length == 0 && (context.class_specific || !context.init.empty())) {
    checker.error(
        "model.context.length",
        fmt::format("must be set for {} to have an effect: how many vectors a prompt has",
                    context.class_specific ? "model.context.class_specific" : "model.context.init"));
  }
}

// Whether a video is told from the others of its batch; else from all labels.
bool is_contrastive(const Experiment& experiment) {
  return !experiment.model.classifier && experiment.train.objective == Objective::contrastive;
}

void check_objective(const Experiment& experiment, ConfigChecker& checker) {
  const auto& train = experiment.train;
  if (train.task == TrainTask::pretrain) {
    constexpr const char* kNoLabels =
        "needs labels; train.task: pretrain learns from captions, which have none";
    if (experiment.model.classifier) checker.error("model.classifier", kNoLabels);
    if (train.objective == Objective::cross_entropy) checker.error("train.objective", kNoLabels);
  }
  if (!is_contrastive(experiment)) return;
  if (train.label_smoothing > 0) {
    checker.error("train.label_smoothing",
                  "is of train.objective: cross_entropy and model.classifier; without effect here");
  }
  // The only video of its batch is always the right one: loss and gradient are 0.
  if (train.accumulate_steps >= 1 && train.batch_size == train.accumulate_steps) {
    checker.error(train.batch_size == 1 ? "train.batch_size" : "train.accumulate_steps",
                  fmt::format("batch_size = {} in {} part(s) leaves 1 sample a contrastive batch, from which "
                              "nothing is learnt; at least 2 are needed",
                              train.batch_size, train.accumulate_steps));
  }
}

// Repeated augmentation and mixing, which decide what stands side by side in a batch.
void check_batch(const Experiment& experiment, ConfigChecker& checker) {
  const auto& train = experiment.train;
  const std::int64_t repeats = experiment.data.sampling.repeats;
  if (train.task == TrainTask::pretrain) {
    if (repeats > 1) {
      checker.error("data.sampling.repeats",
                    "must be 1 for train.task: pretrain: the clips of a still would count as each other's "
                    "negatives");
    }
    if (train.mix.enabled()) {
      checker.error("train.mix",
                    "needs labels, which are mixed with the clips; train.task: pretrain has captions");
    }
    if (!experiment.data.transforms.flip_labels.empty()) {
      checker.error("data.transforms.flip_labels",
                    "is of labels; train.task: pretrain has captions, so set data.transforms.flip: 0 where "
                    "they tell left from right");
    }
    return;
  }
  if (train.accumulate_steps < 1 || train.batch_size < 1 || repeats < 1) return;  // has its own finding
  const std::int64_t part = train.batch_size / train.accumulate_steps;
  if (part % repeats != 0) {
    checker.error("data.sampling.repeats",
                  fmt::format("must divide the {} clips of a batch (train.batch_size / "
                              "train.accumulate_steps), found {}",
                              part, repeats));
  } else if (train.mix.enabled() && part % (2 * repeats) != 0) {
    checker.error(
        "train.mix",
        fmt::format("clips are mixed in pairs of videos: the {} clips of a batch (train.batch_size / "
                    "train.accumulate_steps) must be a multiple of {} (2 * data.sampling.repeats)",
                    part, 2 * repeats));
  }
  if (train.mix.enabled() && is_contrastive(experiment) && train.target == LossTarget::identity) {
    checker.error(
        "train.target",
        "must be softmax or normalized with train.mix: identity has no place for the other part of a "
        "mixed clip");
  }
}

// What is said about texts that take no part.
void check_texts(const Experiment& experiment, ConfigChecker& checker) {
  constexpr const char* kNoText = "no text is encoded with model.classifier: true; leave it out";
  const bool some_blocks = experiment.train.text_blocks.value_or(0) > 0;
  if (some_blocks && experiment.text.fix_text)
    checker.error("train.text_blocks", "text.fix_text: true freezes the text encoder; leave one of them out");
  if (!experiment.model.classifier) return;
  if (some_blocks) checker.error("train.text_blocks", kNoText);
  if (experiment.model.context.length > 0) checker.error("model.context.length", kNoText);
}

void check_blocks(const Experiment& experiment, const ActionClipConfig& sizes, ConfigChecker& checker) {
  const auto check = [&](const char* key, const std::optional<std::int64_t>& given, std::int64_t blocks) {
    if (given && *given > blocks) {
      checker.error(key,
                    fmt::format("must be at most the {} blocks of the encoder, found {}; leave it out to "
                                "train all of it",
                                blocks, *given));
    }
  };
  check("train.image_blocks", experiment.train.image_blocks, count_blocks(sizes.vision));
  check("train.text_blocks", experiment.train.text_blocks, count_blocks(sizes.text));
}

// Needs sizes that fit together; where they do not, the model section's own findings say so.
void check_sizes(const Experiment& experiment, ConfigChecker& checker) {
  ActionClipConfig sizes;
  try {
    sizes = resolve(experiment.model);
  } catch (const ConfigError&) {
    return;
  }
  check_blocks(experiment, sizes, checker);
  const TransformConfig& transforms = experiment.data.transforms;
  const std::int64_t image_size = sizes.vision.image_size;
  if (transforms.input_size > 0 && transforms.input_size != image_size) {
    checker.error("data.transforms.input_size",
                  fmt::format("must be the model's image size {} (0 takes it), found {}", image_size,
                              transforms.input_size));
  } else if (transforms.test_resize > 0 && transforms.test_resize < image_size) {
    checker.error("data.transforms.test_resize",
                  fmt::format("must be at least the model's image size {}, found {}", image_size,
                              transforms.test_resize));
  }
  // Every vocabulary that the tokeniser takes has as many merges, thus as many entries, as CLIP's. How many a
  // SentencePiece model has, only reading it tells (settle_text()).
  if (experiment.text.tokenizer == TokenizerKind::clip && sizes.text.vocabulary_size < kClipVocabulary) {
    checker.error("model.text.vocabulary_size",
                  fmt::format("must be at least {}, the entries of CLIP's vocabulary, found {}",
                              kClipVocabulary, sizes.text.vocabulary_size));
  }
}

}  // namespace

void Experiment::check(ConfigChecker& checker) const {
  checker.at_least("seed", static_cast<double>(seed), 0);
  check_start(model, checker);
  check_labels(*this, checker);
  check_objective(*this, checker);
  check_batch(*this, checker);
  check_texts(*this, checker);
  check_context(*this, checker);
  check_sizes(*this, checker);
}

Experiment load_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                           const UnreadPaths& unread) {
  return read_config<Experiment>(load_yaml(file, overrides), unread);
}

void require_list(const DatasetConfig& config, std::string_view split) {
  if (!config.list.empty()) return;
  throw ConfigError(fmt::format("data.{}.list: not given; set it to the file that lists its samples", split));
}

std::string to_yaml(const Experiment& experiment) { return write_config(experiment); }

}  // namespace actionclip
