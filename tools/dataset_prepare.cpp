// actionclip dataset prepare: lists and labels from what people download.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/joined_names.h"
#include "actionclip/core/json_text.h"
#include "actionclip/video/prepare.h"

#include "tools/command.h"
#include "tools/dataset_commands.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

struct Options {
  std::string dataset;
  std::string root;
  std::vector<std::string> annotations;
  std::string labels;
  double max_missing = PrepareOptions().max_missing;
  std::string output;
  bool force = false;
  bool untrimmed = false;
  bool json = false;
};

std::string table_of(const PrepareReport& report) {
  TextTable table({"split", "list", "videos", "missing", "repeated", "classes"});
  for (const auto& list : report.lists) {
    table.add({list.split, list.file.empty() ? "(none is there)" : list.file, std::to_string(list.videos),
               std::to_string(list.missing), std::to_string(list.repeated), std::to_string(list.classes)});
  }
  return table.text();
}

// A string of JSON is one of YAML, whatever characters the path has.
std::string as_yaml(const std::filesystem::path& path) {
  return json_text(nlohmann::json(std::filesystem::absolute(path).lexically_normal().string()));
}

// What to paste into an experiment.
std::string settings_of(const Options& options, const PrepareReport& report) {
  const std::filesystem::path output = options.output;
  std::string text = fmt::format("data:\n  labels: {}\n", as_yaml(output / "labels.csv"));
  const std::string format = report.format == "video" ? "" : ", format: " + report.format;
  for (const auto& list : report.lists) {
    const std::string split = std::filesystem::path(list.file).stem().string();
    if (split != "train" && split != "val" && split != "test") continue;
    text += fmt::format("  {}: {{list: {}, root: {}{}}}\n", split, as_yaml(output / list.file),
                        as_yaml(options.root), format);
  }
  return text;
}

void print_report(const Options& options, const PrepareReport& report) {
  if (!report.made) fmt::print("{}: already made with these settings, left as it is\n", options.output);
  fmt::print("{}{} labels", table_of(report), report.labels);
  if (report.unlisted > 0) fmt::print("; {} videos below {} are in no list", report.unlisted, options.root);
  fmt::print("\n");
  for (const auto& list : report.lists) {
    if (list.missing > 0 && !list.file.empty()) {
      fmt::print("{}: {} videos are missing, see {}\n", list.file, list.missing,
                 (std::filesystem::path(options.output) / "missing.txt").string());
    }
    if (!list.bare_classes.empty()) {
      fmt::print("{}: no video of {} classes: {}\n", list.file, list.bare_classes.size(),
                 joined_names(list.bare_classes, kNamedClasses));
    }
  }
  for (const std::string split : {"train", "val"}) {
    const auto is_of_split = [&](const auto& list) {
      return std::filesystem::path(list.file).stem() == split;
    };
    if (std::ranges::none_of(report.lists, is_of_split)) {
      fmt::print("there is no list {}: no annotations or folders of it with videos were found\n", split);
    }
  }
  fmt::print("\n{}", settings_of(options, report));
}

void prepare(const Options& options) {
  const PrepareOptions wanted = {.dataset = options.dataset,
                                 .root = options.root,
                                 .annotations = {options.annotations.begin(), options.annotations.end()},
                                 .labels = options.labels,
                                 .max_missing = options.max_missing,
                                 .force = options.force,
                                 .untrimmed = options.untrimmed};
  const auto report = prepare_dataset(wanted, options.output);
  if (report.changed) {
    spdlog::warn("{}: holds other videos than when {} was made; --force makes it anew", options.root,
                 options.output);
  }
  if (options.json) {
    fmt::print("{}", summary_json(report));
  } else {
    print_report(options, report);
  }
}

}  // namespace

void add_dataset_prepare(CLI::App& dataset, int& /*exit_code*/) {
  auto options = std::make_shared<Options>();
  auto* command = dataset.add_subcommand(
      "prepare", "make lists and labels of a data set from its folders and annotation files");
  std::vector<std::string> names;
  std::string needs = "Data sets, and the annotation files that they come with:\n";
  for (const auto& known : preparable_datasets()) {
    names.push_back(known.name);
    needs += fmt::format("  {:<20}{}\n", known.name, known.needs);
  }
  command->add_option("dataset", options->dataset, "which data set")->required()->check(CLI::IsMember(names));
  command->add_option("--root", options->root, "folder of the videos, searched with all below it")
      ->required();
  command->add_option("--annotations", options->annotations,
                      "annotation files, or folders of them; default: they are looked for below --root");
  command->add_option("--labels", options->labels,
                      "label file that the classes are matched to; default: made from the annotations");
  command->add_option("--output", options->output, "folder for lists and labels; other files in it stay")
      ->required();
  command
      ->add_option("--max-missing", options->max_missing,
                   "share of the videos that may be missing; the lists hold those that are there")
      ->check(number_in(0, 1))
      ->capture_default_str();
  command->add_flag(
      "--untrimmed", options->untrimmed,
      "of Kinetics: files named by their id alone are whole videos; the lists name the seconds");
  command->add_flag("--force", options->force, "make lists and labels anew that an earlier call made");
  command->add_flag("--json", options->json, "print summary.json");
  command->footer(
      needs +
      "Example:\n  actionclip dataset prepare ucf101 --root data/ucf101/videos --annotations "
      "data/ucf101/ucfTrainTestlist --output data/ucf101\n"
      "The settings to paste are printed. A folder made with the same settings is left as it is, and "
      "told if the videos below --root have changed since.");
  command->callback([options] { prepare(*options); });
}

}  // namespace actionclip
