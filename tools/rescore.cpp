// actionclip rescore: figures of scores that `evaluate --output` kept, again and without a model: fused,
// compared, or with a temperature.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/calibration.h"
#include "actionclip/eval/evaluation_report.h"
#include "actionclip/eval/figures.h"
#include "actionclip/eval/fuse_scores.h"
#include "actionclip/eval/video_scores.h"

#include "tools/command.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> dev;
  std::vector<double> ratios;
  bool fuse = false;
  bool compare = false;
  bool json = false;
};

// Scores under the name that they are told by.
struct NamedScores {
  std::string name;
  VideoScores scores;
  std::optional<double> temperature;
};

void check(const Options& options) {
  if (options.fuse && options.compare) throw UsageError("--fuse and --compare: one or the other");
  if (options.compare && options.files.size() != 2)
    throw UsageError(
        fmt::format("--compare: takes two files of scores, and there are {}", options.files.size()));
  if (options.fuse && options.files.size() < 2) throw UsageError("--fuse: takes two files of scores or more");
  if (!options.ratios.empty() && !options.fuse)
    throw UsageError("--ratio: is the weight of a file in --fuse, which is not given");
  if (!options.ratios.empty() && options.ratios.size() != options.files.size()) {
    throw UsageError(fmt::format("--ratio: {} are given for {} files of scores: give one each",
                                 options.ratios.size(), options.files.size()));
  }
  if (!options.dev.empty() && options.dev.size() != options.files.size()) {
    throw UsageError(
        fmt::format("--dev: {} are given for {} files of scores: give the same model's dev scores "
                    "for each, in the same order",
                    options.dev.size(), options.files.size()));
  }
}

// The scores of each file, or those of all fused to one.
std::vector<NamedScores> load(const Options& options, const std::vector<std::string>& files) {
  std::vector<NamedScores> loaded;
  std::vector<VideoScores> together;
  for (const auto& file : files) {
    auto scores = load_scores(file);
    if (scores.videos.empty()) throw Error(fmt::format("{}: it holds the scores of no video", file));
    if (options.fuse) {
      together.push_back(std::move(scores));
    } else {
      loaded.push_back({file, std::move(scores), std::nullopt});
    }
  }
  if (!options.fuse || files.empty()) return loaded;
  const auto ratios = options.ratios.empty() ? std::vector<double>(files.size(), 1) : options.ratios;
  loaded.push_back({"fused", fuse_scores(together, ratios), std::nullopt});
  return loaded;
}

// A temperature that is fitted on the very scores that it then improves says nothing about others.
void warn_of_own_dev(const Options& options) {
  for (std::size_t i = 0; i < options.dev.size(); ++i) {
    std::error_code unknown;
    if (std::filesystem::equivalent(options.dev[i], options.files[i], unknown))
      spdlog::warn("--dev {}: is the file that is scored; the temperature is fitted on the test itself",
                   options.dev[i]);
  }
}

// Gives the scores the temperature that their own dev scores ask for.
void apply_temperatures(const std::vector<NamedScores>& dev, std::vector<NamedScores>& scored) {
  for (std::size_t i = 0; i < dev.size(); ++i) {
    if (dev[i].scores.labels != scored[i].scores.labels)
      throw Error(fmt::format("--dev: the labels of {} are not those of {}", dev[i].name, scored[i].name));
    const double temperature = fit_temperature(dev[i].scores);
    scored[i].temperature = temperature;
    scored[i].scores = with_temperature(std::move(scored[i].scores), temperature);
  }
}

nlohmann::ordered_json to_json(const Options& options, const std::vector<NamedScores>& scored,
                               const std::vector<EvaluationReport>& reports,
                               const std::vector<Figure>& differences) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    nlohmann::ordered_json entry = {{options.fuse ? "name" : "file", scored[i].name}};
    entry.update(to_json(reports[i]));
    if (scored[i].temperature) entry["temperature"] = *scored[i].temperature;
    entry["origin"] = reports[i].scores.origin;
    json["scores"].push_back(entry);
  }
  if (options.fuse) {
    json["fused"] = options.files;
    if (!options.ratios.empty()) json["ratios"] = options.ratios;
  }
  if (!options.compare) return json;
  for (const auto& figure : differences) json["differences"][figure.name] = figure.percent;
  json["difference_intervals"] = intervals_json(differences);
  return json;
}

void print(const std::vector<NamedScores>& scored, const std::vector<EvaluationReport>& reports,
           const std::vector<Figure>& differences) {
  for (std::size_t i = 0; i < scored.size(); ++i) {
    fmt::print("{}\n{}", scored[i].name, to_table(reports[i]));
    const auto& origin = reports[i].scores.origin;
    if (const auto protocol = origin.find("protocol"); protocol != origin.end())
      fmt::print("  {}\n", protocol->second);
    if (scored[i].temperature) fmt::print("  {:<40}{:>10.4f}\n", "temperature", *scored[i].temperature);
  }
  if (differences.empty()) return;
  TextTable table({"second - first", "difference", "95 %", ""});
  for (const auto& figure : differences) {
    table.add({title_of(figure), fmt::format("{:+.2f}", figure.percent),
               fmt::format("[{:+.2f}, {:+.2f}]", figure.interval.low, figure.interval.high),
               is_more_than_chance(figure) ? "larger than chance" : "within chance"});
  }
  fmt::print("{}", table.text());
}

int rescore_command(const Options& options) {
  check(options);
  auto scored = load(options, options.files);
  warn_of_own_dev(options);
  apply_temperatures(load(options, options.dev), scored);
  std::vector<Figure> differences;
  if (options.compare) differences = figure_differences(scored[0].scores, scored[1].scores);
  std::vector<EvaluationReport> reports;
  for (const auto& entry : scored) reports.push_back(report_of(entry.scores));
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(options, scored, reports, differences)));
  } else {
    print(scored, reports, differences);
  }
  return kExitDone;
}

}  // namespace

void add_rescore_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand(
      "rescore", "figures of scores that evaluate --output kept: again, fused or compared");
  command->add_option("scores", options->files, "files of scores (scores.safetensors)")
      ->required()
      ->type_name("SCORES");
  command->add_flag("--fuse", options->fuse, "figures of the mean of the files' probabilities");
  command
      ->add_option(
          "--ratio", options->ratios,
          "weight of each file in --fuse, comma separated, in the files' order; default: all the same")
      ->delimiter(',')
      ->allow_extra_args(false)  // the word behind it is a file
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--compare", options->compare,
                    "of two files: what the second has more, and the interval of that over the same draws");
  command
      ->add_option(
          "--dev", options->dev,
          "the same model's scores of a dev split, for each file: the temperature that suits them best is "
          "applied")
      ->allow_extra_args(false)
      ->type_name("SCORES");
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "Example:\n  actionclip rescore runs/k400/eval/scores.safetensors --dev "
      "runs/k400/dev/scores.safetensors\n"
      "  actionclip rescore rgb/scores.safetensors flow/scores.safetensors --fuse --ratio 2,1\n"
      "  actionclip rescore old/scores.safetensors new/scores.safetensors --compare --json");
  command->callback([options, &exit_code] { exit_code = rescore_command(*options); });
}

}  // namespace actionclip
