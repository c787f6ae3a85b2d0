#include "protocols/shot_runs.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/protocols/list_leaks.h"
#include "actionclip/protocols/list_part.h"
#include "actionclip/protocols/shot_draw.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/run_folder.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/weights/initialize.h"

#include "protocols/run_claim.h"

namespace actionclip {
namespace {

using Indices = std::vector<std::int64_t>;

std::int64_t most_shots(const ShotOptions& options) {
  return *std::max_element(options.shots.begin(), options.shots.end());
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

// One run of a protocol: `shots` clips a class, drawn by `seed`.
class ShotTraining {
 public:
  ShotTraining(const ShotProtocol& protocol, const ShotOptions& options, std::int64_t shots,
               std::int64_t seed)
      : protocol_(protocol),
        options_(options),
        shots_(shots),
        seed_(seed),
        folder_(options.output / fmt::format("shots-{}-seed-{}", shots, seed)) {}

  // An earlier call's, or of a run made now; empty if a signal stopped it.
  std::optional<ShotRun> finish(const StopSignal& stop) const {
    const auto file = folder_ / "result.json";
    claim_folder(folder_, protocol_.identity, protocol_.name);
    if (const auto finished = read_result(file)) return finished;
    const auto run = train(stop);
    if (run) write_file_atomically(file, json_text(describe(*run)) + "\n");
    return run;
  }

 private:
  DatasetConfig write_list(const char* name, const Indices& chosen) const {
    const auto file = folder_ / name;
    write_file_atomically(file, table_text(part_of(protocol_.train, chosen)));
    DatasetConfig split = protocol_.experiment.data.train;
    split.list.path = std::filesystem::absolute(file);
    split.root = {};
    split.format = ListFormat::table;
    return split;
  }

  // Writes the run's lists, and says what it trains on.
  Experiment set_up() const {
    Experiment run = protocol_.experiment;
    run.seed = seed_;
    const auto classes = protocol_.labels.size();
    const auto chosen = choose_shots(protocol_.train, classes, shots_, seed_);
    run.data.train = write_list("train.csv", chosen);
    run.data.val = {};
    if (options_.dev > 0) {
      const auto dev = choose_dev(protocol_.train, classes, most_shots(options_), options_.dev, seed_);
      run.data.val = write_list("dev.csv", dev);
      run.eval.every_epochs = std::max<std::int64_t>(1, run.eval.every_epochs);
    }
    // Of many runs, only the checkpoint counts that is scored: the last, or the best on the dev part, which
    // is kept in any case.
    if (run.train.keep_checkpoints == TrainConfig().keep_checkpoints) run.train.keep_checkpoints = 1;
    fit_batch(run, std::ssize(chosen));
    if (protocol_.prepare) protocol_.prepare(folder_, run);
    return run;
  }

  std::optional<ShotRun> train(const StopSignal& stop) const {
    const Experiment run = set_up();
    const auto resume = find_resume_point(folder_, "auto");
    const auto lock = open_run_folder(folder_, run, resume);
    Trainer trainer(run, {.output = folder_, .device = options_.device, .resume = resume});
    if (trainer.run() == TrainOutcome::stopped_by_signal || stop.requested()) return std::nullopt;
    if (options_.dev > 0) {
      const std::int64_t epoch = load_best(trainer.model());
      auto scored = protocol_.score(trainer.model());
      scored.epoch = epoch;
      return scored;
    }
    const AveragedWeights averaged(trainer.average());
    return protocol_.score(trainer.model());
  }

  // Gives the model the weights, or their average where there is one, of the epoch that was best on the dev
  // part. Returns that epoch, from 1.
  std::int64_t load_best(ActionClip& model) const {
    const auto folder = folder_ / "checkpoints" / "best";
    if (!std::filesystem::exists(folder)) {
      throw Error(
          fmt::format("{}: no epoch was scored on the dev part: none ended (train.max_steps, "
                      "train.schedule.stop_epoch), or all of its videos failed",
                      folder_.string()));
    }
    Checkpoint best = load_checkpoint(folder);
    const auto weights = to_weights(std::move(best.ema ? *best.ema : best.model));
    load_state_dict(model, weights.tensors);
    return best.state.at("epoch").get<std::int64_t>();
  }

  nlohmann::ordered_json describe(const ShotRun& run) const {
    nlohmann::ordered_json json;
    for (std::size_t i = 0; i < run.scores.size(); ++i) json[protocol_.scores[i]] = run.scores[i];
    if (run.failed > 0) json["failed"] = run.failed;
    if (run.epoch > 0) json["epoch"] = run.epoch;
    return json;
  }

  std::optional<ShotRun> read_result(const std::filesystem::path& file) const {
    const auto json = finished_result(file);
    if (!json) return std::nullopt;
    ShotRun run;
    for (const auto& name : protocol_.scores) {
      const auto score = json->find(name);
      if (score == json->end() || !score->is_number()) return std::nullopt;
      run.scores.push_back(score->get<double>());
    }
    const auto epoch = json->find("epoch");
    if (epoch != json->end() && epoch->is_number_integer()) run.epoch = epoch->get<std::int64_t>();
    const auto failed = json->find("failed");
    if (failed != json->end() && failed->is_number_integer()) run.failed = failed->get<std::int64_t>();
    return run;
  }

  const ShotProtocol& protocol_;
  const ShotOptions& options_;
  std::int64_t shots_;
  std::int64_t seed_;
  std::filesystem::path folder_;
};

// The weights as they are.
ShotRun score_start(const ShotProtocol& protocol, const ShotOptions& options) {
  Experiment experiment = protocol.experiment;
  settle_text(experiment.model, *protocol.tokenizer);
  experiment.model.labels = protocol.labels.size();
  ActionClip model = start_model(experiment, *protocol.tokenizer, protocol.labels.names());
  model->to(options.device);
  return protocol.score(model);
}

void warn_of_unknown(const VideoList& list, std::string_view what, const ContentHashes& hashes) {
  if (hashes.empty()) return;
  if (const auto unknown = count_unknown(list, hashes); unknown > 0) {
    spdlog::warn(
        "{} of {} {} are in no --manifest: that they are in another list under another name would not be "
        "noticed",
        unknown, list.size(), what);
  }
}

// Throws Error if the draws of a seed have something in common that they must not. What a smaller K chooses,
// a larger one does too.
void check_draws(const ShotProtocol& protocol, const ShotOptions& options) {
  const auto classes = protocol.labels.size();
  const auto most = most_shots(options);
  const ContentHashes hashes(options.manifests);
  std::set<std::int64_t> used;
  for (const auto seed : options.seeds) {
    const auto chosen = choose_shots(protocol.train, classes, most, seed);
    const auto dev = choose_dev(protocol.train, classes, most, options.dev, seed);
    // A list may name a video twice.
    require_no_leaks(part_of(protocol.train, chosen), fmt::format("the clips chosen by seed {}", seed),
                     part_of(protocol.train, dev), fmt::format("the clips of the dev part of seed {}", seed),
                     hashes);
    used.insert(chosen.begin(), chosen.end());
    used.insert(dev.begin(), dev.end());
  }
  const auto part = part_of(protocol.train, {used.begin(), used.end()});
  warn_of_unknown(part, "chosen clips", hashes);
  for (const auto& test : protocol.tests) {
    warn_of_unknown(test, "test videos", hashes);
    require_no_leaks(
        part,
        options.dev > 0 ? "the clips chosen for training and dev part" : "the clips chosen for training",
        test, fmt::format("the test videos of {}", test.file().string()), hashes);
  }
}

std::string in_words(const ShotProtocol& protocol, const ShotRun& run) {
  std::string text;
  for (std::size_t i = 0; i < run.scores.size(); ++i)
    text += fmt::format("{}{} {:.2f}", i == 0 ? "" : ", ", protocol.scores[i], run.scores[i]);
  if (run.epoch > 0) text += fmt::format(" (epoch {})", run.epoch);
  if (run.failed > 0) text += fmt::format(", {} test videos failed", run.failed);
  return text;
}

}  // namespace

void check_shot_settings(const Experiment& experiment, std::string_view protocol) {
  if (experiment.train.task == TrainTask::pretrain) {
    throw ConfigError(fmt::format(
        "train.task: {} trains on videos and labels; set it to finetune or prompt, found pretrain",
        protocol));
  }
  for (const auto& [split, config] :
       {std::pair("train", &experiment.data.train), std::pair("test", &experiment.data.test)}) {
    require_list(*config, split);
    if (config->format == ListFormat::captions) {
      throw ConfigError(fmt::format(
          "data.{}.format: captions have no labels, which {} needs; give a list of video or frames", split,
          protocol));
    }
  }
}

std::string shot_identity(const Experiment& experiment, const ShotOptions& options, const VideoList& train,
                          const VideoList& test, nlohmann::ordered_json more) {
  if (options.dev > 0) {
    more["dev"] = {{"clips", options.dev},
                   {"every_epochs", std::max<std::int64_t>(1, experiment.eval.every_epochs)}};
  }
  return run_identity(experiment, train, test, more);
}

std::vector<ProtocolMatch> check_lists(const ShotOptions& options, const std::vector<ScoredList>& lists) {
  return options.check_lists ? options.check_lists(lists) : std::vector<ProtocolMatch>();
}

std::vector<VideoList> read_test_lists(const Experiment& experiment, const ShotOptions& options,
                                       const LabelSet& labels) {
  std::vector<VideoList> lists;
  lists.push_back(read_video_list(experiment.data.test, &labels));
  for (const auto& file : options.against) {
    auto other = experiment.data.test;
    other.list.path = file;
    lists.push_back(read_video_list(other, &labels));
  }
  return lists;
}

void score_top1(const Experiment& experiment, ActionClip& model,
                const std::shared_ptr<const Tokenizer>& tokenizer, const LabelSet& labels,
                const VideoList& list, ShotRun& run) {
  const auto& config = model->config();
  const auto prompts = make_prompt_generator(experiment.text, tokenizer, labels, config);
  Classifier classifier(model, text_input(prompts), experiment.train.precision, experiment.eval.ensemble);
  const ClipDataset videos(
      list, clip_options(experiment, config.vision.image_size, config.fusion.frames, labels.size()));
  const auto report = evaluate(classifier, videos, labels, experiment.eval, experiment.data);
  require_finite_scores(report.scores, experiment.data.max_failed_share);
  run.scores.push_back(report.metrics.top1());
  run.failed += std::ssize(report.failed);
}

TrainOutcome run_shots(const ShotProtocol& protocol, const ShotOptions& options,
                       std::vector<ShotRuns>& results) {
  const StopSignal stop;  // around the runs' own: a signal while a run is built or scored counts too
  check_draws(protocol, options);
  for (const auto shots : options.shots) {
    ShotRuns of_shots{.shots = shots, .runs = {}};
    for (const auto seed : shots == 0 ? std::vector{protocol.experiment.seed} : options.seeds) {
      if (stop.requested()) return TrainOutcome::stopped_by_signal;
      const auto run = shots == 0 ? score_start(protocol, options)
                                  : ShotTraining(protocol, options, shots, seed).finish(stop);
      if (!run) return TrainOutcome::stopped_by_signal;
      spdlog::info("{}: {} a class, seed {}: {}", protocol.name, shots, seed, in_words(protocol, *run));
      of_shots.runs.push_back(*run);
    }
    results.push_back(std::move(of_shots));
  }
  return TrainOutcome::finished;
}

bool has_failures(const std::vector<std::int64_t>& failed) {
  return std::ranges::any_of(failed, [](auto videos) { return videos > 0; });
}

}  // namespace actionclip
