// actionclip interpolate: models between a fine-tuned one and the one that it started from, scored over the
// ratio of the two.

#include "actionclip/weights/interpolate.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/video/video_list.h"
#include "actionclip/weights/export.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "tools/command.h"
#include "tools/evaluation.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

constexpr const char* kRatioKey = "actionclip.pretrained_weight";

struct Options {
  EvaluationOptions common;
  std::string pretrained;
  std::vector<double> ratios = {0, 0.25, 0.5, 0.75, 1};  // pretrained_weight
  std::string zero_shot_labels, zero_shot_list, zero_shot_root;
  std::pair<double, std::string> written = {-1, ""};
  bool force = false;
};

// What each mixture is scored on.
struct TestSet {
  LabelSet labels;
  VideoList list;
};

struct TestSets {
  TestSet trained;
  std::optional<TestSet> zero_shot;
};

struct Ends {
  LoadedWeights finetuned, pretrained;
  InterpolatedNames names;
};

// The scores of one mixture.
struct Row {
  double ratio;
  EvaluationReport trained;
  std::optional<EvaluationReport> zero_shot;
};

void check_written(const Options& options) {
  const auto& [ratio, file] = options.written;
  if (file.empty()) {
    if (options.force) throw UsageError("--force: overwrites the file of --write, and there is none");
    return;
  }
  if (!(ratio >= 0 && ratio <= 1))
    throw UsageError(fmt::format("--write {}: the ratio must lie between 0 and 1", ratio));
  require_free(file, options.force);
}

void check(const Options& options) {
  if (options.common.weights.empty()) {
    throw UsageError(
        "--weights: give the fine-tuned model; model.weights is what its fine-tuning started from");
  }
  if (options.zero_shot_labels.empty() != options.zero_shot_list.empty()) {
    throw UsageError(options.zero_shot_labels.empty()
                         ? "--zero-shot-list: give its labels too, by --zero-shot-labels"
                         : "--zero-shot-labels: give the videos too, by --zero-shot-list");
  }
  if (!options.zero_shot_root.empty() && options.zero_shot_list.empty())
    throw UsageError("--zero-shot-root: says where the videos of --zero-shot-list lie, and there is none");
  check_written(options);
}

TestSet read_set(const DatasetConfig& split, const std::filesystem::path& labels_file) {
  auto labels = read_labels(labels_file);
  auto list = read_video_list(split, &labels);
  return {.labels = std::move(labels), .list = std::move(list)};
}

TestSets read_sets(const Options& options, const Experiment& experiment) {
  TestSets sets{
      .trained = read_set(find_split(experiment, options.common.split), experiment.data.labels.path),
      .zero_shot = {}};
  if (options.zero_shot_list.empty()) return sets;
  auto split = experiment.data.test;
  split.list.path = std::filesystem::absolute(options.zero_shot_list);
  split.root.path = options.zero_shot_root.empty() ? std::filesystem::path()
                                                   : std::filesystem::absolute(options.zero_shot_root);
  sets.zero_shot = read_set(split, options.zero_shot_labels);
  return sets;
}

// "fusion (29), visual (1)": by what stands before the first dot.
std::string count_by_part(const std::vector<std::string>& names) {
  std::map<std::string, int> counts;
  for (const auto& name : names) ++counts[name.substr(0, name.find('.'))];
  std::vector<std::string> parts;
  for (const auto& [part, count] : counts) parts.push_back(fmt::format("{} ({})", part, count));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

// As a native file, which says how to use it.
void write_mixture(const LoadedWeights& mixture, double ratio, const std::string& file) {
  auto metadata = to_metadata(mixture.config);
  for (const auto& [key, value] : mixture.metadata) {
    if (key.starts_with("actionclip.")) metadata.emplace(key, value);
  }
  metadata[kRatioKey] = fmt::format("{}", ratio);
  write_safetensors(file, from_tensors({mixture.tensors.begin(), mixture.tensors.end()}), metadata);
  spdlog::info("pretrained_weight {}: written to {}", ratio, file);
}

nlohmann::ordered_json to_json(const std::vector<Row>& rows, const Ends& ends) {
  nlohmann::ordered_json json = {
      {"convention", "pretrained_weight * pretrained + (1 - pretrained_weight) * finetuned"},
      {"finetuned", ends.finetuned.file.string()},
      {"pretrained", ends.pretrained.file.string()},
      {"mixed", ends.names.mixed.size()},
      {"kept_finetuned", ends.names.kept},
      {"ratios", nlohmann::ordered_json::array()}};
  for (const auto& row : rows) {
    nlohmann::ordered_json entry = {{"pretrained_weight", row.ratio}};
    entry.update(describe(row.trained));
    if (row.zero_shot) entry["zero_shot"] = describe(*row.zero_shot);
    json["ratios"].push_back(entry);
  }
  return json;
}

void add_titles(const std::string& prefix, const EvaluationReport& report, std::vector<std::string>& cells) {
  for (const auto& figure : report.figures) cells.push_back(prefix + title_of(figure));
}

void add_figures(const EvaluationReport& report, std::vector<std::string>& cells) {
  for (const auto& figure : report.figures) cells.push_back(fmt::format("{:.2f}", figure.percent));
}

void print_table(const std::vector<Row>& rows, const TestSets& sets) {
  fmt::print("{} ({} labels)\n", sets.trained.list.file().string(), sets.trained.labels.size());
  if (sets.zero_shot)
    fmt::print("zero-shot: {} ({} labels)\n", sets.zero_shot->list.file().string(),
               sets.zero_shot->labels.size());
  std::vector<std::string> header = {"pretrained_weight"};
  add_titles("", rows.front().trained, header);
  if (sets.zero_shot) add_titles("zero-shot ", *rows.front().zero_shot, header);
  TextTable table(std::move(header));
  for (const auto& row : rows) {
    std::vector<std::string> cells = {fmt::format("{}", row.ratio)};
    add_figures(row.trained, cells);
    if (row.zero_shot) add_figures(*row.zero_shot, cells);
    table.add(std::move(cells));
  }
  fmt::print("{}", table.text());
}

Ends load_ends(const Options& options, const Experiment& experiment) {
  Ends ends{.finetuned = load_whole(options.common, experiment),
            .pretrained = load_weights(options.pretrained, experiment.model.frames),
            .names = {}};
  fit_pretrained(ends.finetuned, ends.pretrained);
  ends.names = interpolated_names(ends.finetuned, ends.pretrained);
  spdlog::info("{} tensors are mixed; fine-tuned in any case: {}", ends.names.mixed.size(),
               count_by_part(ends.names.kept));
  return ends;
}

// Before the first mixture is scored: what is of each label's own serves no others.
void require_labels(const LoadedWeights& finetuned, const TestSet& set) {
  require_classified(finetuned, set.labels);
  require_labels_of_context(finetuned, set.labels);
  const auto own = finetuned.config.context.classes;
  if (own == 0 || own == set.labels.size()) return;
  throw Error(
      with_file(finetuned, fmt::format("has a learned context of {} labels, each with its own vectors "
                                       "(class-specific), but {} has {} labels",
                                       own, set.labels.source(), set.labels.size())));
}

// Scores a set with the weights of a mixture.
using Score = std::function<EvaluationReport(const LoadedWeights& mixture, const TestSet& set)>;

std::vector<Row> sweep(const std::vector<double>& ratios, const Ends& ends, const TestSets& sets,
                       const Score& score) {
  std::vector<Row> rows;
  for (const double ratio : ratios) {
    const auto mixture = interpolate(ends.finetuned, ends.pretrained, ratio);
    Row row{.ratio = ratio, .trained = score(mixture, sets.trained), .zero_shot = {}};
    if (sets.zero_shot) row.zero_shot = score(mixture, *sets.zero_shot);
    const auto& figure = row.trained.main_figure();
    spdlog::info("pretrained_weight {}: {} {:.2f}", ratio, title_of(figure), figure.percent);
    rows.push_back(std::move(row));
  }
  return rows;
}

void tell(const Options& options, const std::vector<Row>& rows, const Ends& ends, const TestSets& sets) {
  const auto json = to_json(rows, ends);
  if (options.common.json) {
    fmt::print("{}\n", json_text(json));
  } else {
    print_table(rows, sets);
  }
  options.common.output.write("interpolation.json", json_text(json) + "\n");
}

int interpolate_command(const Options& options) {
  check(options);
  const Experiment experiment = options.common.load({options.common.split});
  const TestSets sets = read_sets(options, experiment);
  options.common.output.open();
  return run_evaluation(options.common, experiment, [&](c10::Device device, const auto& group) {
    const Ends ends = load_ends(options, experiment);
    require_labels(ends.finetuned, sets.trained);
    if (sets.zero_shot) require_labels(ends.finetuned, *sets.zero_shot);
    const bool leads = group->rank() == 0;
    const auto rows = sweep(options.ratios, ends, sets, [&](const auto& mixture, const TestSet& set) {
      return SplitScorer(mixture, experiment, set.labels, device, group,
                         options.common.text_cache.open(group->rank()))
          .score(set.list);
    });
    if (!leads) return kExitDone;
    tell(options, rows, ends, sets);
    // Behind the scores: a command that fails leaves no file, and a disk that is full takes no scores with
    // it.
    const auto& [ratio, file] = options.written;
    if (!file.empty()) write_mixture(interpolate(ends.finetuned, ends.pretrained, ratio), ratio, file);
    return kExitDone;
  });
}

void add_ratio_options(CLI::App& command, Options& options) {
  command
      .add_option("--pretrained-weight", options.ratios,
                  "ratios, comma separated: 0 is the fine-tuned model, 1 the pre-trained one")
      ->delimiter(',')
      ->allow_extra_args(false)  // the word behind it is an override
      ->check(number_in(0, 1))
      ->default_str(fmt::format("{}", fmt::join(options.ratios, ",")));
  command
      .add_option(
          "--write", options.written,
          "write the mixture of pretrained_weight W as a weights file (safetensors), once all are scored")
      ->type_name("W FILE");
  command.add_flag("--force", options.force, "overwrite the file of --write if it is there");
}

void add_zero_shot_options(CLI::App& command, Options& options) {
  command.add_option("--zero-shot-labels", options.zero_shot_labels,
                     "labels that the model was not trained on, to score each mixture on too");
  command.add_option("--zero-shot-list", options.zero_shot_list,
                     "list of test videos with these labels, in the form of data.test.format");
  command.add_option("--zero-shot-root", options.zero_shot_root,
                     "folder that the paths in that list are relative to; default: the list's own");
}

}  // namespace

void add_interpolate_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand(
      "interpolate", "score models between a fine-tuned one and the one that it started from");
  options->common.add_to(*command);
  command->get_option("--weights")
      ->description("weights file or checkpoint folder of the fine-tuned model; must be given");
  command
      ->add_option("--pretrained", options->pretrained,
                   "weights file or checkpoint folder that the fine-tuning started from")
      ->required();
  add_ratio_options(*command, *options);
  add_zero_shot_options(*command, *options);
  command->footer(
      "A mixture is pretrained_weight * pretrained + (1 - pretrained_weight) * finetuned, of the encoders "
      "and\n"
      "logit_scale; the fusion head, and what else the pre-trained model lacks, are the fine-tuned model's.\n"
      "Example:\n  actionclip interpolate --config configs/kinetics400/vit_b16_8f.yaml --weights "
      "runs/k400/checkpoints/best \\\n"
      "      --pretrained weights/ViT-B-16.pt --pretrained-weight 0,0.25,0.5,0.75,1 \\\n"
      "      --zero-shot-labels data/ucf101/labels.csv --zero-shot-list data/ucf101/val.txt "
      "--zero-shot-root data/ucf101/videos\n"
      "--output gets interpolation.json.");
  command->callback([options, &exit_code] { exit_code = interpolate_command(*options); });
}

}  // namespace actionclip
