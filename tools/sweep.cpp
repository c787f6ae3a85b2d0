// actionclip sweep: prompts, ensembles and heads on cached features, in minutes on a CPU.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/statistics.h"
#include "actionclip/protocols/ensemble_sweep.h"
#include "actionclip/protocols/head_sweep.h"

#include "tools/command.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

std::map<std::string, SubsetFamily> families() {
  return {{"each", SubsetFamily::each}, {"styles", SubsetFamily::styles}, {"growing", SubsetFamily::growing}};
}

struct Options {
  std::string features, pretrained, train_features;
  std::string pool = "fusion";
  SubsetFamily family = SubsetFamily::each;
  std::vector<std::string> subsets;
  std::vector<double> ratios = {0, 0.25, 0.5, 0.75, 1};
  HeadSweepOptions heads;
  ResultFolder output;
  bool json = false;

  const char* ratio_name() const {
    return pretrained.empty() ? "mean_embedding_weight" : "pretrained_weight";
  }
};

struct Results {
  std::vector<TemplateSubset> subsets;
  std::vector<SweepRow> ensembles;
  std::vector<HeadRow> heads;
};

// With the mean of the frames' features in the place of the fusion head's, where that is asked for.
CachedFeatures read(const std::string& folder, const std::string& pool) {
  auto features = read_features(folder);
  if (pool == "mean") features.video_features = read_frame_features(features).mean(2);
  return features;
}

std::vector<TemplateSubset> choose_subsets(const Options& options, const CachedTexts& texts) {
  if (options.subsets.empty()) return template_subsets(texts.templates, options.family);
  std::vector<TemplateSubset> subsets;
  for (const auto& text : options.subsets) subsets.push_back(parse_subset(text, texts.templates.size()));
  return subsets;
}

Results sweep(const Options& options, const CachedFeatures& features) {
  Results results;
  if (features.texts.empty() && !options.train_features.empty()) {
    spdlog::info("{}: no features of texts: heads alone are swept", options.features);
  } else {
    std::optional<CachedFeatures> pretrained;
    if (!options.pretrained.empty()) pretrained = read(options.pretrained, options.pool);
    results.subsets = choose_subsets(options, features.texts);
    results.ensembles =
        sweep_ensembles(features, results.subsets, options.ratios, pretrained ? &*pretrained : nullptr);
  }
  if (!options.train_features.empty())
    results.heads = sweep_heads(read(options.train_features, options.pool), features, options.heads);
  return results;
}

// By seed, as the means are of them.
std::vector<double> percentages(const HeadRow& row, double (TopAccuracy::*percent)() const) {
  std::vector<double> values;
  for (const auto& accuracy : row.accuracies) values.push_back((accuracy.*percent)());
  return values;
}

nlohmann::ordered_json describe_ensembles(const Options& options, const Results& results) {
  auto json = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < results.ensembles.size(); ++i) {
    const auto& row = results.ensembles[i];
    auto numbers = results.subsets[i / options.ratios.size()].templates;
    for (auto& number : numbers) ++number;
    json.push_back({{"subset", row.subset},
                    {"templates", numbers},
                    {options.ratio_name(), row.ratio},
                    {"top1", row.accuracy.top1()},
                    {"top5", row.accuracy.top5()}});
  }
  return json;
}

nlohmann::ordered_json describe_heads(const Results& results) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& row : results.heads) {
    const auto top1 = percentages(row, &TopAccuracy::top1), top5 = percentages(row, &TopAccuracy::top5);
    nlohmann::ordered_json entry = {{"head", row.head}};
    if (row.shots > 0) entry["shots"] = row.shots;
    if (row.l2 > 0) entry["l2"] = row.l2;
    entry.update({{"top1", top1},
                  {"top1_mean", mean_of(top1)},
                  {"top1_std", deviation_of(top1)},
                  {"top5_mean", mean_of(top5)},
                  {"top5_std", deviation_of(top5)}});
    json.push_back(entry);
  }
  return json;
}

nlohmann::ordered_json describe(const Options& options, const CachedFeatures& features,
                                const Results& results) {
  const auto failed =
      std::ranges::count_if(features.videos, [](const auto& v) { return !v.failure.empty(); });
  nlohmann::ordered_json json = {{"features", options.features},
                                 {"origin", features.identity.origin},
                                 {"samples", features.identity.videos},
                                 {"failed", failed},
                                 {"views", features.identity.views},
                                 {"labels", features.labels.size()},
                                 {"pool", options.pool}};
  if (!results.ensembles.empty()) {
    json["convention"] = options.pretrained.empty()
                             ? "(1 - mean_embedding_weight) * mean_of_softmax + mean_embedding_weight * "
                               "mean_embedding, of probabilities"
                             : "(1 - pretrained_weight) * features + pretrained_weight * pretrained, of "
                               "probabilities";
    json["templates"] = features.texts.templates;
    json["ensembles"] = describe_ensembles(options, results);
  }
  if (!results.heads.empty()) {
    json["train_features"] = options.train_features;
    json["tip_adapter"] = {{"alpha", options.heads.tip.alpha}, {"beta", options.heads.tip.beta}};
    json["seeds"] = options.heads.seeds;
    json["heads"] = describe_heads(results);
  }
  return json;
}

void print_tables(const Options& options, const Results& results) {
  if (!results.ensembles.empty()) {
    TextTable table({"subset", options.ratio_name(), "top-1", "top-5"});
    for (const auto& row : results.ensembles) {
      table.add({row.subset, fmt::format("{}", row.ratio), fmt::format("{:.2f}", row.accuracy.top1()),
                 fmt::format("{:.2f}", row.accuracy.top5())});
    }
    fmt::print("{}", table.text());
  }
  if (results.heads.empty()) return;
  TextTable table({"head", "shots", "l2", "top-1", "± std", "top-5"});
  for (const auto& row : results.heads) {
    const auto top1 = percentages(row, &TopAccuracy::top1), top5 = percentages(row, &TopAccuracy::top5);
    table.add({row.head, row.shots > 0 ? fmt::format("{}", row.shots) : "all",
               row.l2 > 0 ? fmt::format("{}", row.l2) : "", fmt::format("{:.2f}", mean_of(top1)),
               fmt::format("{:.2f}", deviation_of(top1)), fmt::format("{:.2f}", mean_of(top5))});
  }
  fmt::print("{}", table.text());
}

int sweep_command(const Options& options) {
  options.output.open();
  const auto features = read(options.features, options.pool);
  const auto results = sweep(options, features);
  const auto json = describe(options, features, results);
  if (options.json) {
    fmt::print("{}\n", json_text(json));
  } else {
    fmt::print("{} ({} videos, {} labels)\n", options.features, features.identity.videos,
               features.labels.size());
    print_tables(options, results);
  }
  options.output.write("sweep.json", json_text(json) + "\n");
  return kExitDone;
}

// A list of numbers with commas between them; the word behind it is another argument.
template <typename T>
void add_numbers(CLI::App& command, const char* name, std::vector<T>& values, const CLI::Validator& range,
                 const char* help) {
  command.add_option(name, values, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(range)
      ->default_str(fmt::format("{}", fmt::join(values, ",")));
}

void add_ensemble_options(CLI::App& command, Options& options) {
  command.add_option("--pretrained", options.pretrained,
                     "features of the same videos by the pre-trained model: the ratio is its weight");
  command
      .add_option("--subsets", options.family,
                  "each: every template alone; styles: prefix, cloze, suffix; growing: the first 1, 2, ...; "
                  "all templates too")
      ->transform(CLI::CheckedTransformer(families()))
      ->default_str("each");
  command
      .add_option("--subset", options.subsets,
                  "templates by their numbers, as 1,4,7, or all; given several times; instead of --subsets")
      ->allow_extra_args(false);
  add_numbers(command, "--ratios", options.ratios, number_in(0, 1),
              "ensembling ratios, comma separated: 0 is mean_of_softmax, 1 mean_embedding (see below)");
}

void add_head_options(CLI::App& command, Options& options) {
  auto& heads = options.heads;
  command.add_option("--train-features", options.train_features,
                     "features of training videos: heads are fitted to them");
  add_numbers(command, "--shots", heads.shots, CLI::Range(1, 1000000), "clips a class, comma separated");
  add_numbers(command, "--seeds", heads.seeds, CLI::Range(0, 1000000000), "seeds, comma separated");
  add_numbers(command, "--l2", heads.l2, number_in(1e-12, 1e6),
              "weight decays of linear probes, comma separated");
  command.add_option("--tip-alpha", heads.tip.alpha, "share of the examples in Tip-Adapter")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--tip-beta", heads.tip.beta, "sharpness of Tip-Adapter")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace

void add_sweep_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand(
      "sweep", "score prompts, ensembles and heads on features kept by actionclip features");
  command->add_option("--features", options->features, "folder of actionclip features: what is scored")
      ->required();
  command
      ->add_option("--pool", options->pool,
                   "fusion: features of the fusion head; mean: of the frames (features --frames)")
      ->check(CLI::IsMember({"fusion", "mean"}))
      ->capture_default_str();
  add_ensemble_options(*command, *options);
  add_head_options(*command, *options);
  options->output.add_to(*command);
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "An ensemble's probabilities are (1 - ratio) * mean_of_softmax + ratio * mean_embedding of a subset's "
      "prompts;\nwith --pretrained, (1 - ratio) * the fine-tuned + ratio * the pre-trained model's "
      "mean_of_softmax.\nHeads: linear probes on all clips, then nearest class mean, Tip-Adapter and linear "
      "probes on K a class.\nWhat is chosen by its score here is to be scored on other videos: sweep on val, "
      "report on test.\n"
      "Example:\n  actionclip sweep --features features/k400_val --train-features features/k400_train \\\n"
      "      --subsets styles --ratios 0,0.5,1 --shots 1,16 --output runs/sweep\n"
      "--output gets sweep.json.");
  command->callback([options, &exit_code] { exit_code = sweep_command(*options); });
}

}  // namespace actionclip
