#include "actionclip/train/experiment.h"

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

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

// Needs sizes that fit together; where they do not, the model section's own findings say so.
void check_sizes(const Experiment& experiment, ConfigChecker& checker) {
  ActionClipConfig sizes;
  try {
    sizes = resolve(experiment.model);
  } catch (const ConfigError&) {
    return;
  }
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
  // Every vocabulary that the tokeniser takes has as many merges, thus as many entries, as CLIP's.
  if (sizes.text.vocabulary_size < kClipVocabulary) {
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
