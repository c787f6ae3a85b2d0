#include "actionclip/protocols/few_shot.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/eval/statistics.h"
#include "actionclip/train/run_folder.h"
#include "actionclip/video/video_list.h"
#include "actionclip/weights/initialize.h"

namespace actionclip {
namespace {

std::filesystem::path folder_of(const FewShotOptions& options, std::int64_t shots, std::int64_t seed) {
  return options.output / fmt::format("shots-{}-seed-{}", shots, seed);
}

// The chosen lines as a list of its own, with absolute paths.
std::string list_text(const VideoList& list, const std::vector<std::int64_t>& chosen) {
  std::string text;
  for (const auto index : chosen) {
    const auto& entry = list.entries[index];
    text += std::filesystem::absolute(entry.path).string();
    if (list.config.format == ListFormat::frames) text += fmt::format(" {}", entry.frame_count);
    text += fmt::format(" {}\n", entry.label_id);
  }
  return text;
}

double score(const Experiment& experiment, ActionClip& model, const LabelSet& labels) {
  const auto& config = model->config();
  const auto prompts = make_prompt_generator(experiment.text, make_tokenizer(experiment.text), labels,
                                             config.text.context_length);
  Classifier classifier(model, token_tensor(prompts), experiment.train.precision);
  const ClipDataset videos(read_video_list(experiment.data.test, labels.size()),
                           clip_options(experiment, config.vision.image_size, config.fusion.frames));
  return evaluate(classifier, videos, labels, experiment.eval, experiment.data).metrics.top1();
}

// One training run and its score; empty if a signal stopped it.
std::optional<double> run_one(Experiment experiment, const FewShotOptions& options, const VideoList& list,
                              const LabelSet& labels, std::int64_t shots, std::int64_t seed) {
  const auto folder = folder_of(options, shots, seed);
  const auto chosen = choose_shots(list, labels.size(), shots, seed);
  write_file_atomically(folder / "train.txt", list_text(list, chosen));
  experiment.seed = seed;
  experiment.data.train.list.path = std::filesystem::absolute(folder / "train.txt");
  experiment.data.val = {};
  experiment.train.batch_size =
      std::min<std::int64_t>(experiment.train.batch_size, static_cast<std::int64_t>(chosen.size()));
  const auto resume = find_resume_point(folder, "auto");
  open_run_folder(folder, experiment, resume);
  Trainer trainer(experiment, {.output = folder, .device = options.device, .resume = resume});
  if (trainer.run() == TrainOutcome::stopped_by_signal) return std::nullopt;
  return score(experiment, trainer.model(), labels);
}

// SHA-256 of a file; of a checkpoint folder, of its model; empty of none.
std::string content_hash(const InputPath& file) {
  if (file.empty()) return "";
  return sha256_of_file(std::filesystem::is_directory(file.path) ? file.path / "model.safetensors"
                                                                 : file.path);
}

// All that the runs' scores depend on, but for the pictures in the videos.
std::string identity_of(const Experiment& experiment) {
  const nlohmann::ordered_json identity = {{"experiment", to_yaml(experiment)},
                                           {"sha256",
                                            {{"model.weights", content_hash(experiment.model.weights)},
                                             {"text.vocabulary", content_hash(experiment.text.vocabulary)},
                                             {"text.templates", content_hash(experiment.text.templates)},
                                             {"data.labels", content_hash(experiment.data.labels)},
                                             {"data.train.list", content_hash(experiment.data.train.list)},
                                             {"data.test.list", content_hash(experiment.data.test.list)}}}};
  return identity.dump(2) + "\n";
}

// Keeps what a run of the same identity left in `folder`; anything else would be resumed or reported as if
// these settings had given it, so the folder is started anew.
void claim_folder(const std::filesystem::path& folder, const std::string& identity) {
  const auto file = folder / "identity.json";
  if (std::filesystem::exists(file) && read_text_file(file) == identity) return;
  if (std::filesystem::exists(folder))
    spdlog::warn("{}: of other settings, weights or lists, so it is started anew", folder.string());
  std::filesystem::remove_all(folder);
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
  for (std::size_t i = 0; i < list.entries.size(); ++i)
    by_class[list.entries[i].label_id].push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> chosen;
  for (std::int64_t label_id = 0; label_id < classes; ++label_id) {
    auto& members = by_class[label_id];
    if (static_cast<std::int64_t>(members.size()) < shots) {
      throw Error(fmt::format("{}: class {} has {} videos, {} shots need as many", list.file.string(),
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
  require_list(experiment.data.train, "train");
  require_list(experiment.data.test, "test");
  const LabelSet labels = read_labels(experiment.data.labels.path);
  const VideoList list = read_video_list(experiment.data.train, labels.size());
  const std::string identity = identity_of(experiment);
  for (const auto shots : options.shots) {
    if (shots == 0) {
      ActionClip model = build_model(experiment.model, static_cast<std::uint64_t>(experiment.seed));
      model->to(options.device);
      results.push_back(summarize(0, {score(experiment, model, labels)}));
      continue;
    }
    std::vector<double> top1;
    for (const auto seed : options.seeds) {
      const auto folder = folder_of(options, shots, seed);
      const auto file = folder / "result.json";
      claim_folder(folder, identity);
      auto value = finished_score(file);
      if (!value) {
        value = run_one(experiment, options, list, labels, shots, seed);
        if (!value) return TrainOutcome::stopped_by_signal;
        write_file_atomically(file, nlohmann::json{{"top1", *value}}.dump(2) + "\n");
      }
      spdlog::info("few-shot: {} a class, seed {}: top-1 {:.2f}", shots, seed, *value);
      top1.push_back(*value);
    }
    results.push_back(summarize(shots, std::move(top1)));
  }
  std::filesystem::create_directories(options.output);
  write_file_atomically(options.output / "few_shot.json", to_json(results).dump(2) + "\n");
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
