#include "actionclip/protocols/few_shot.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/random.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/eval/statistics.h"
#include "actionclip/text/csv.h"
#include "actionclip/train/run_folder.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/video/video_list.h"
#include "actionclip/weights/initialize.h"

namespace actionclip {
namespace {

// What every run reads.
struct FewShotData {
  LabelSet labels;
  VideoList train;
  VideoList test;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string identity;  // identity_of()
};

// Throws ConfigError that names the key if the runs would have no label to draw clips by or to be scored on.
void check_settings(const Experiment& experiment) {
  if (experiment.train.task == TrainTask::pretrain) {
    throw ConfigError(
        "train.task: few-shot trains on videos and labels; set it to finetune or prompt, found pretrain");
  }
  for (const auto& [split, config] :
       {std::pair("train", &experiment.data.train), std::pair("test", &experiment.data.test)}) {
    require_list(*config, split);
    if (config->format == ListFormat::captions) {
      throw ConfigError(fmt::format(
          "data.{}.format: captions have no labels, which few-shot needs; give a list of video or frames",
          split));
    }
  }
}

std::filesystem::path folder_of(const FewShotOptions& options, std::int64_t shots, std::int64_t seed) {
  return options.output / fmt::format("shots-{}-seed-{}", shots, seed);
}

// The chosen videos as a list of its own, in the format `table`, with absolute paths.
std::string list_text(const VideoList& list, const std::vector<std::int64_t>& chosen) {
  std::string text = "path,label,start,end,frames\n";
  for (const auto index : chosen) {
    const auto entry = list.entry(index);
    text += csv_field(std::filesystem::absolute(entry.path).string());
    text += fmt::format(",{},", entry.label_id());
    if (entry.range.start > 0) text += fmt::format("{}", entry.range.start);
    text += ',';
    if (std::isfinite(entry.range.end)) text += fmt::format("{}", entry.range.end);
    text += ',';
    if (entry.frame_count >= 0) text += fmt::format("{}", entry.frame_count);
    text += '\n';
  }
  return text;
}

// At most all of `videos` in a step, each in data.sampling.repeats clips, and whole pairs of them where clips
// are mixed. The parts of the step stay as large as they were or grow: each is a contrastive batch of its
// own, which needs others to tell a video from.
void fit_batch(Experiment& experiment, std::int64_t videos) {
  auto& train = experiment.train;
  const std::int64_t repeats = experiment.data.sampling.repeats;
  const std::int64_t block = train.mix.enabled() ? 2 * repeats : repeats;
  const std::int64_t clips = std::max(block, videos * repeats / block * block);
  if (train.batch_size <= clips) return;
  const std::int64_t part = train.batch_size / train.accumulate_steps;
  train.batch_size = clips;
  train.accumulate_steps = std::max<std::int64_t>(1, clips / part);
  while (clips % (train.accumulate_steps * block) != 0) --train.accumulate_steps;
}

double score(const Experiment& experiment, ActionClip& model, const FewShotData& data) {
  const auto& config = model->config();
  const auto prompts = make_prompt_generator(experiment.text, data.tokenizer, data.labels, config);
  Classifier classifier(model, text_input(prompts), experiment.train.precision, experiment.eval.ensemble);
  const ClipDataset videos(data.test, clip_options(experiment, config.vision.image_size, config.fusion.frames,
                                                   data.labels.size()));
  return evaluate(classifier, videos, data.labels, experiment.eval, experiment.data).metrics.top1();
}

// The score of the weights as they are.
double score_start(Experiment experiment, const FewShotOptions& options, const FewShotData& data) {
  settle_text(experiment.model, *data.tokenizer);
  experiment.model.labels = data.labels.size();
  ActionClip model = start_model(experiment, *data.tokenizer, data.labels.names());
  model->to(options.device);
  return score(experiment, model, data);
}

// One training run in `folder` and its score; empty if a signal stopped it.
std::optional<double> train_and_score(Experiment experiment, const FewShotOptions& options,
                                      const FewShotData& data, std::int64_t shots, std::int64_t seed,
                                      const StopSignal& stop) {
  const auto folder = folder_of(options, shots, seed);
  const auto chosen = choose_shots(data.train, data.labels.size(), shots, seed);
  write_file_atomically(folder / "train.csv", list_text(data.train, chosen));
  experiment.seed = seed;
  auto& split = experiment.data.train;
  split.list.path = std::filesystem::absolute(folder / "train.csv");
  split.root = {};
  split.format = ListFormat::table;
  experiment.data.val = {};
  // Of many runs, only the last checkpoint counts: it is what is scored.
  if (experiment.train.keep_checkpoints == TrainConfig().keep_checkpoints)
    experiment.train.keep_checkpoints = 1;
  fit_batch(experiment, static_cast<std::int64_t>(chosen.size()));
  const auto resume = find_resume_point(folder, "auto");
  const auto lock = open_run_folder(folder, experiment, resume);
  Trainer trainer(experiment, {.output = folder, .device = options.device, .resume = resume});
  if (trainer.run() == TrainOutcome::stopped_by_signal || stop.requested()) return std::nullopt;
  const AveragedWeights averaged(trainer.average());
  return score(experiment, trainer.model(), data);
}

// SHA-256 of a file; of a checkpoint folder, of its model; empty of none.
std::string content_hash(const InputPath& file) {
  if (file.empty()) return "";
  return sha256_of_file(std::filesystem::is_directory(file.path) ? file.path / "model.safetensors"
                                                                 : file.path);
}

// All that the runs' scores depend on, but for the pictures in the videos. They do not depend on how batches
// are prepared and checkpoints kept, nor on the seed and the validation, which each run replaces.
std::string identity_of(Experiment experiment, const VideoList& train, const VideoList& test) {
  const Experiment defaults;
  experiment.seed = defaults.seed;
  experiment.data.val = defaults.data.val;
  experiment.eval.every_epochs = defaults.eval.every_epochs;
  experiment.data.num_workers = defaults.data.num_workers;
  experiment.data.prefetch = defaults.data.prefetch;
  experiment.train.checkpoint_every = defaults.train.checkpoint_every;
  experiment.train.keep_checkpoints = defaults.train.keep_checkpoints;
  const nlohmann::ordered_json identity = {
      {"experiment", to_yaml(experiment)},
      {"sha256",
       {{"model.weights", content_hash(experiment.model.weights)},
        {"text.vocabulary", content_hash(experiment.text.vocabulary)},
        {"text.templates", content_hash(experiment.text.templates)},
        {"text.descriptions", content_hash(experiment.text.descriptions)},
        {"data.labels", content_hash(experiment.data.labels)},
        {"data.train.list", train.fingerprint()},
        {"data.test.list", test.fingerprint()}}}};
  return json_text(identity) + "\n";
}

FewShotData read_data(const Experiment& experiment) {
  const auto& data = experiment.data;
  LabelSet labels = read_labels(data.labels.path);
  check_label_columns(labels, experiment.eval);
  auto train = read_video_list(data.train, &labels);
  auto test = read_video_list(data.test, &labels);
  for (const auto* list : {&train, &test}) require_single_labels(*list, "few-shot");
  auto identity = identity_of(experiment, train, test);
  return {.labels = std::move(labels),
          .train = std::move(train),
          .test = std::move(test),
          .tokenizer = make_tokenizer(experiment.text),
          .identity = std::move(identity)};
}

// The first free name of folder.before-1, -2 ...
std::filesystem::path aside(const std::filesystem::path& folder) {
  for (int number = 1;; ++number) {
    auto name = folder;
    name += fmt::format(".before-{}", number);
    if (!std::filesystem::exists(name)) return name;
  }
}

// Keeps what a run of the same identity left in `folder`; anything else would be resumed or reported as if
// these settings had given it, so what another run left is put aside. Throws Error if no run made the folder,
// or if a run that is under way would be put aside.
void claim_folder(const std::filesystem::path& folder, const std::string& identity) {
  const auto file = folder / "identity.json";
  remove_leftovers_of(file);  // of a call that was killed: they make no foreign folder
  if (std::filesystem::exists(file)) {
    if (read_text_file(file) == identity) return;
    const FolderLock lock(folder);
    const auto kept = aside(folder);
    rename_durably(folder, kept);
    spdlog::warn("{}: of other settings, weights or lists, so it is now {}", folder.string(), kept.string());
  } else if (std::filesystem::exists(folder) && !std::filesystem::is_empty(folder)) {
    throw Error(
        fmt::format("{} is no folder of a few-shot run (it has no identity.json): choose another --output",
                    folder.string()));
  }
  std::filesystem::create_directories(folder);
  write_file_atomically(file, identity);
}

// The score that an earlier call left.
std::optional<double> finished_score(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const auto json = nlohmann::json::parse(read_text_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("top1") || !json.at("top1").is_number()) return std::nullopt;
  return json.at("top1").get<double>();
}

// The score of one K and seed: an earlier call's, or of a run made now; empty if a signal stopped it.
std::optional<double> score_run(const Experiment& experiment, const FewShotOptions& options,
                                const FewShotData& data, std::int64_t shots, std::int64_t seed,
                                const StopSignal& stop) {
  const auto folder = folder_of(options, shots, seed);
  const auto file = folder / "result.json";
  claim_folder(folder, data.identity);
  if (const auto finished = finished_score(file)) return finished;
  const auto value = train_and_score(experiment, options, data, shots, seed, stop);
  if (value) write_file_atomically(file, json_text(nlohmann::json{{"top1", *value}}) + "\n");
  return value;
}

FewShotResult summarize(std::int64_t shots, std::vector<double> top1) {
  FewShotResult result{.shots = shots, .top1 = std::move(top1)};
  result.mean = mean_of(result.top1);
  result.deviation = deviation_of(result.top1);
  return result;
}

}  // namespace

std::vector<std::int64_t> choose_shots(const VideoList& list, std::int64_t classes, std::int64_t shots,
                                       std::int64_t seed) {
  std::vector<std::vector<std::int64_t>> by_class(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto label_id = list.label_id(i);
    if (label_id < 0 || label_id >= classes) {
      throw Error(fmt::format("{}:{}: label id {} is not in 0..{}", list.file().string(), list.line(i),
                              label_id, classes - 1));
    }
    by_class[label_id].push_back(i);
  }
  std::vector<std::int64_t> chosen;
  for (std::int64_t label_id = 0; label_id < classes; ++label_id) {
    auto& members = by_class[label_id];
    if (static_cast<std::int64_t>(members.size()) < shots) {
      throw Error(fmt::format("{}: class {} has {} videos, {} shots need as many", list.file().string(),
                              label_id, members.size(), shots));
    }
    RandomStream(static_cast<std::uint64_t>(seed), RandomPurpose::kFewShot,
                 static_cast<std::uint64_t>(label_id))
        .shuffle(members);
    chosen.insert(chosen.end(), members.begin(), members.begin() + shots);
  }
  return chosen;
}

TrainOutcome run_few_shot(const Experiment& experiment, const FewShotOptions& options,
                          std::vector<FewShotResult>& results) {
  check_settings(experiment);
  const StopSignal stop;  // around the runs' own: a signal while a run is built or scored counts too
  const FewShotData data = read_data(experiment);
  for (const auto shots : options.shots) {  // before the first run, that there are enough
    for (const auto seed : options.seeds) choose_shots(data.train, data.labels.size(), shots, seed);
  }
  for (const auto shots : options.shots) {
    std::vector<double> top1;
    for (const auto seed : shots == 0 ? std::vector{experiment.seed} : options.seeds) {
      if (stop.requested()) return TrainOutcome::stopped_by_signal;
      const auto value = shots == 0 ? score_start(experiment, options, data)
                                    : score_run(experiment, options, data, shots, seed, stop);
      if (!value) return TrainOutcome::stopped_by_signal;
      spdlog::info("few-shot: {} a class, seed {}: top-1 {:.2f}", shots, seed, *value);
      top1.push_back(*value);
    }
    results.push_back(summarize(shots, std::move(top1)));
  }
  std::filesystem::create_directories(options.output);
  write_file_atomically(options.output / "few_shot.json", json_text(to_json(results)) + "\n");
  return TrainOutcome::finished;
}

nlohmann::ordered_json to_json(const std::vector<FewShotResult>& results) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& result : results) {
    json.push_back(
        {{"shots", result.shots}, {"top1", result.top1}, {"mean", result.mean}, {"std", result.deviation}});
  }
  return json;
}

std::string to_table(const std::vector<FewShotResult>& results) {
  constexpr double kBarWidth = 40;
  std::string table =
      fmt::format("  {:>5}  {:>5}  {:>12}  {:>6}\n", "shots", "seeds", "top-1 (mean)", "± std");
  for (const auto& result : results) {
    const auto bar = static_cast<std::size_t>(std::lround(result.mean / 100 * kBarWidth));
    table += fmt::format("  {:>5}  {:>5}  {:>12.2f}  {:>5.2f}  {}\n", result.shots, result.top1.size(),
                         result.mean, result.deviation, std::string(bar, '#'));
  }
  return table;
}

}  // namespace actionclip
