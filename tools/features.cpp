// actionclip features: a split's videos and prompts as features, encoded once and kept in a folder.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/describe.hpp>
#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/protocols/encode_features.h"
#include "actionclip/weights/state_dict.h"

#include "tools/command.h"
#include "tools/evaluation.h"

namespace actionclip {
namespace {

struct Options {
  EvaluationOptions common;
  std::string output;
  std::string stored_as = "fp32";
  std::int64_t shard_videos = 1024;
  bool frames = false;
};

template <typename Enum>
std::string name_of(Enum value) {
  return boost::describe::enum_to_string(value, "?");
}

// What the pictures that the model sees depend on.
std::map<std::string, std::string> origin_of(const SplitScorer& scorer, const Experiment& experiment,
                                             const VideoList& list) {
  const auto clips = scorer.clips();
  const auto& config = list.config();
  std::map<std::string, std::string> origin = {
      {"tensors_sha256", scorer.tensors_sha256()},
      {"list_sha256", list.fingerprint()},
      {"list_format", name_of(config.format)},
      {"clips", fmt::format("{}", clips.clips)},
      {"crops", fmt::format("{}", clips.crops)},
      {"sampling", name_of(clips.sampling.strategy)},
      {"stride", fmt::format("{}", clips.sampling.stride)},
      {"input_size", fmt::format("{}", clips.transforms.input_size)},
      {"test_resize", fmt::format("{}", clips.transforms.test_resize)},
      {"precision", name_of(experiment.train.precision)}};
  if (config.format == ListFormat::frames || config.format == ListFormat::table)
    origin["frame_names"] = fmt::format("{} from {}", config.frame_pattern, config.index_bias);
  std::string model;
  for (const auto& [key, value] : to_metadata(scorer.weights().config))
    model += fmt::format("{}\n{}\n", key, value);
  origin["model_sha256"] = sha256_of(model);  // of its settings: heads, mean, std, frames ...
  return origin;
}

FeatureIdentity identity_of(const Options& options, const SplitScorer& scorer, const Experiment& experiment,
                            const VideoList& list) {
  const auto views = experiment.eval.clips * experiment.eval.crops;
  // As evaluate() has them, so that the features are those that it scores.
  const auto batch_videos = std::max<std::int64_t>(1, experiment.eval.batch_size / views);
  return {.videos = list.size(),
          .views = views,
          .batch_videos = batch_videos,
          .shard_videos = (options.shard_videos + batch_videos - 1) / batch_videos * batch_videos,
          .half = options.stored_as == "fp16",
          .keep_frames = options.frames,
          .origin = origin_of(scorer, experiment, list)};
}

FeatureJob job_of(const Options& options, const SplitScorer& scorer, const Experiment& experiment,
                  const LabelSet& labels, VideoList list) {
  auto identity = identity_of(options, scorer, experiment, list);
  FeatureJob job{.folder = options.output,
                 .identity = std::move(identity),
                 .list = std::move(list),
                 .clips = scorer.clips(),
                 .views_at_once = experiment.eval.batch_size,
                 .workers = experiment.data.num_workers,
                 .prefetch = experiment.data.prefetch,
                 .labels = labels.names(),
                 .texts = {}};
  const auto& texts = scorer.classifier().text_embeddings();
  if (texts.defined())
    job.texts = {
        .templates = scorer.templates(), .embeddings = texts.cpu(), .tokens = scorer.prompts().tokens};
  return job;
}

int features_command(const Options& options) {
  const auto& common = options.common;
  Experiment experiment = common.load({common.split});
  // Each prompt for itself: what becomes of them is swept later.
  experiment.eval.ensemble = Ensemble::mean_of_softmax;
  const auto& split = find_split(experiment, common.split);
  const LabelSet labels = read_labels(experiment.data.labels.path);
  auto list = read_video_list(split, &labels);
  return run_evaluation(common, experiment, [&](c10::Device device, const auto& group) {
    const SplitScorer scorer(common, experiment, labels, device, group);
    scorer.require_same_on_ranks(list);
    const auto job = job_of(options, scorer, experiment, labels, std::move(list));
    encode_features(scorer.classifier(), job, group);
    if (group->rank() == 0) {
      fmt::print("{}: {} videos, {} views each, {} prompts of {} labels\n", options.output,
                 job.identity.videos, job.identity.views,
                 job.texts.empty() ? 0 : job.texts.embeddings.size(0), labels.size());
    }
    return kExitDone;
  });
}

}  // namespace

void add_features_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command =
      program.add_subcommand("features", "encode a split's videos and prompts once, for actionclip sweep");
  options->common.experiment.add_to(*command);
  command->add_option("--weights", options->common.weights,
                      "weights file or checkpoint folder (instead of model.weights)");
  command->add_option("--split", options->common.split, "train, val or test")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  command->add_option("--output", options->output, "folder that gets the features")->required();
  command->add_option("--dtype", options->stored_as, "what the features are kept as: fp32 or fp16")
      ->check(CLI::IsMember({"fp32", "fp16"}))
      ->capture_default_str();
  command
      ->add_option("--shard-videos", options->shard_videos,
                   "videos of a file; what is encoded again after a stop (rounded up to whole batches)")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_flag("--frames", options->frames, "keep the features of the frames, before fusion, too");
  command->footer(
      "Example:\n  actionclip features --config configs/kinetics400/vit_b16_8f.yaml --weights "
      "runs/k400/checkpoints/best \\\n      --split val --output features/k400_val\n"
      "Stopped at any time, the same command goes on behind the last whole file. With other labels, "
      "templates "
      "or\ndescriptions it encodes the texts anew, and no video again. Ranks (torchrun, SLURM) share the "
      "files among\nthem.");
  command->callback([options, &exit_code] { exit_code = features_command(*options); });
}

}  // namespace actionclip
