#include "actionclip/train/rehearsal.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/model/cost.h"
#include "actionclip/text/bpe_tokenizer.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/step_settings.h"

#include "stand_ins.h"

namespace actionclip {
namespace {

constexpr double kMostFlops = 0.6e12;
constexpr double kMostBytes = 3.0 * (1 << 30);
constexpr std::int64_t kLeastFrames = 2;
constexpr std::int64_t kLookedFor = 16;  // videos of a list; where none of them is there, none is
// Of a vocabulary that is not there: CLIP's, and as many as SentencePiece models of image-text models have.
constexpr std::int64_t kClipEntries = 49408, kSentencePieceEntries = 32000;

bool is_there(const InputPath& file) {
  std::error_code ignored;
  return std::filesystem::exists(file.path, ignored);
}

bool vocabulary_is_there(const TextConfig& text) {
  if (!text.vocabulary.empty()) return is_there(text.vocabulary);
  try {
    default_vocabulary_path();
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool any_video_is_there(const VideoList& list) {
  for (std::int64_t i = 0; i < std::min(list.size(), kLookedFor); ++i) {
    if (is_there(InputPath{list.entry(i).path})) return true;
  }
  return false;
}

// Fills in what is missing, one kind of file after the other.
class StandInFinder {
 public:
  explicit StandInFinder(Rehearsal& rehearsal) : rehearsal_(rehearsal) {}

  void find() {
    require_list(data().train, "train");
    find_weights();
    find_tokenizer();
    find_labels();
    find_texts();
    find_validation();
    find_list();
  }

  // Whether the step's videos are made up.
  bool of_made_up_videos() const { return static_cast<bool>(inputs().fetch_frames); }

 private:
  DataConfig& data() { return rehearsal_.experiment.data; }
  TrainingInputs& inputs() { return rehearsal_.inputs; }
  const TrainingInputs& inputs() const { return rehearsal_.inputs; }

  void note(const std::string& key, const InputPath& file, const std::string& instead) {
    const std::string named = file.empty() ? key : fmt::format("{}: {}", key, file.string());
    rehearsal_.stand_ins.push_back(fmt::format("{} is not there: {}", named, instead));
  }

  void find_weights() {
    auto& model = rehearsal_.experiment.model;
    if (model.weights.empty() || is_there(model.weights)) return;
    note("model.weights", model.weights, "random weights");
    model.weights = {};
    model.init = {.image = InitSource::random, .text = InitSource::random};
  }

  void find_tokenizer() {
    const auto& model = rehearsal_.experiment.model;
    auto& text = rehearsal_.experiment.text;
    if (vocabulary_is_there(text)) {
      inputs().tokenizer = make_tokenizer(text);
      return;
    }
    const auto usual = text.tokenizer == TokenizerKind::clip ? kClipEntries : kSentencePieceEntries;
    const auto entries = model.text.vocabulary_size.value_or(usual);
    note("text.vocabulary", text.vocabulary, fmt::format("bytes, as {} entries", entries));
    inputs().tokenizer = std::make_shared<ByteTokenizer>(entries, model.text.end_token);
    text.truncate = true;  // a text has more bytes than words
  }

  void find_labels() {
    if (rehearsal_.experiment.train.task == TrainTask::pretrain) return;
    made_up_labels_ = !is_there(data().labels);
    if (!made_up_labels_) {
      inputs().labels = read_labels(data().labels.path);
      return;
    }
    inputs().labels = made_up_labels();
    note("data.labels", data().labels, fmt::format("{} made-up labels", inputs().labels->size()));
    data().labels = {};
  }

  // Files that speak of labels, or that texts are made with.
  void find_texts() {
    const auto drop = [&](const char* key, InputPath& file, bool of_labels, const char* instead) {
      if (file.empty() || (is_there(file) && !(of_labels && made_up_labels_))) return;
      if (is_there(file)) {
        rehearsal_.stand_ins.push_back(fmt::format("{}: not used beside made-up labels", key));
      } else {
        note(key, file, instead);
      }
      file = {};
    };
    auto& text = rehearsal_.experiment.text;
    drop("text.templates", text.templates, false, "the label alone");
    drop("text.descriptions", text.descriptions, true, "the labels");
    drop("data.transforms.flip_labels", data().transforms.flip_labels, true, "no label changes");
  }

  // A rehearsal scores nothing; a list that is there is checked.
  void find_validation() {
    auto& list = data().val.list;
    if (list.empty() || (is_there(list) && !made_up_labels_)) return;
    if (!is_there(list)) note("data.val.list", list, "no validation");
    list = {};
  }

  // Behind find_labels(), without which ids say nothing.
  void find_list() {
    const auto& train = data().train;
    const LabelSet* labels = inputs().labels ? &*inputs().labels : nullptr;
    if (!is_there(train.list)) {
      note("data.train.list", train.list, "made-up videos");
    } else if (!made_up_labels_) {
      inputs().videos = read_video_list(train, labels);
      rehearsal_.videos = inputs().videos.size();
      if (any_video_is_there(inputs().videos)) return;
      rehearsal_.stand_ins.push_back(
          fmt::format("data.train: none of the first {} videos is there ({}): made-up videos",
                      std::min(inputs().videos.size(), kLookedFor), inputs().videos.entry(0).path.string()));
    } else {
      rehearsal_.stand_ins.emplace_back("data.train.list: not read, as its labels are not there");
    }
    inputs().fetch_frames = made_up_frames;
  }

  Rehearsal& rehearsal_;
  bool made_up_labels_ = false;
};

// What a step of the experiment costs a rank.
struct StepCost {
  double flops = 0, bytes = 0;
};

StepCost cost_of(const Experiment& experiment, std::int64_t labels, std::int64_t ranks) {
  const auto sizes = resolve(experiment.model);
  const auto step = step_settings(experiment, sizes, ranks, usual_text_length(sizes), labels);
  return {.flops = training_flops(sizes, step).total(), .bytes = step_memory(sizes, step).total()};
}

// Two videos a rank, in one part: the fewest that can be told from each other, or mixed.
void reduce_batch(Rehearsal& rehearsal, std::int64_t ranks) {
  auto& train = rehearsal.experiment.train;
  const std::int64_t part = train.batch_size / train.accumulate_steps;
  const std::int64_t least = 2 * rehearsal.experiment.data.sampling.repeats * ranks;
  if (part <= least && train.accumulate_steps == 1) return;
  rehearsal.reductions.push_back(
      fmt::format("batches of {} clips instead of {}", std::min(part, least), train.batch_size));
  train.accumulate_steps = 1;
  train.batch_size = std::min(part, least);
}

void reduce_frames(Rehearsal& rehearsal, std::int64_t labels, std::int64_t ranks) {
  auto& experiment = rehearsal.experiment;
  if (experiment.train.task == TrainTask::pretrain) return;
  const std::int64_t frames = experiment.model.frames;
  while (experiment.model.frames > kLeastFrames && cost_of(experiment, labels, ranks).flops > kMostFlops)
    experiment.model.frames = std::max(kLeastFrames, experiment.model.frames / 2);
  if (experiment.model.frames == frames) return;
  rehearsal.reductions.push_back(fmt::format("{} frames instead of {}", experiment.model.frames, frames));
}

void reduce_memory(Rehearsal& rehearsal, std::int64_t labels, std::int64_t ranks) {
  auto& experiment = rehearsal.experiment;
  auto& train = experiment.train;
  const auto fits = [&] { return cost_of(experiment, labels, ranks).bytes <= kMostBytes; };
  if (!fits() && !train.activation_checkpointing) {
    train.activation_checkpointing = true;
    rehearsal.reductions.emplace_back("with activation checkpointing");
  }
  if (fits()) return;
  const auto keep_one = [](std::optional<std::int64_t>& blocks) {
    blocks = std::min<std::int64_t>(blocks.value_or(1), 1);
  };
  keep_one(train.image_blocks);
  if (!experiment.text.fix_text && !experiment.model.classifier) keep_one(train.text_blocks);
  rehearsal.reductions.emplace_back("the last block of each encoder learns");
}

}  // namespace

std::int64_t steps_per_epoch(const Experiment& experiment, std::int64_t videos) {
  const auto& train = experiment.train;
  const std::int64_t part = train.batch_size / train.accumulate_steps;
  return videos * experiment.data.sampling.repeats / part / train.accumulate_steps;
}

Rehearsal rehearse(Experiment experiment, std::int64_t ranks, bool reduce) {
  Rehearsal rehearsal{.experiment = std::move(experiment)};
  StandInFinder finder(rehearsal);
  finder.find();
  auto& inputs = rehearsal.inputs;
  auto& own = rehearsal.experiment;
  if (reduce && finder.of_made_up_videos()) {
    const std::int64_t labels = inputs.labels ? inputs.labels->size() : 0;
    settle_text(own.model, *inputs.tokenizer);  // sizes depend on the vocabulary and the labels
    own.model.labels = labels;
    reduce_batch(rehearsal, ranks);
    reduce_frames(rehearsal, labels, ranks);
    reduce_memory(rehearsal, labels, ranks);
  }
  if (!rehearsal.videos) {  // as many as a step takes
    inputs.videos = made_up_list(own.data.train, inputs.labels ? &*inputs.labels : nullptr,
                                 own.train.batch_size / own.data.sampling.repeats);
  }
  return rehearsal;
}

}  // namespace actionclip
