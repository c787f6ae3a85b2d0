// actionclip dataset stats: what a list holds.

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/joined_names.h"
#include "actionclip/core/json_text.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/list_statistics.h"

#include "tools/dataset_commands.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

struct Options {
  ListOptions list;
  std::string manifest;
  bool json = false;
};

using Counts = std::vector<std::pair<std::string, std::int64_t>>;

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

nlohmann::ordered_json to_json(const Counts& counts) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& [name, count] : counts) json.push_back({{"name", name}, {"videos", count}});
  return json;
}

nlohmann::ordered_json to_json(const ListStatistics& list,
                               const std::optional<MeasuredStatistics>& measured) {
  nlohmann::ordered_json json = {{"videos", list.videos},
                                 {"labels_of_videos", list.labels_of_videos},
                                 {"classes", list.classes},
                                 {"videos_of_class", to_json(list.videos_of_class)},
                                 {"rarest_classes", to_json(list.rarest)},
                                 {"classes_without_videos", list.bare_classes}};
  if (!measured) return json;
  json["measured"] = {{"videos", measured->videos},
                      {"failed", measured->failed},
                      {"unknown", measured->unknown},
                      {"hours", measured->hours},
                      {"seconds", to_json(measured->seconds)},
                      {"fps", to_json(measured->fps)},
                      {"frames", to_json(measured->frames)},
                      {"sizes", to_json(measured->sizes)},
                      {"codecs", to_json(measured->codecs)}};
  return json;
}

std::string joined(const Counts& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) parts.push_back(fmt::format("{} ({})", name, count));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// 12, 12.5, 12.53: as many decimals as say something.
std::string number(double value) {
  return value == std::round(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

void print(const ListStatistics& list, const std::optional<MeasuredStatistics>& measured) {
  TextTable table({"", "min", "median", "max"});
  const auto add = [&](const char* name, const Spread& spread) {
    table.add({name, number(spread.min), number(spread.median), number(spread.max)});
  };
  add("videos of a class", list.videos_of_class);
  if (measured) {
    add("seconds", measured->seconds);
    add("frames a second", measured->fps);
    add("frames", measured->frames);
  }
  fmt::print("{} videos, {} classes", list.videos, list.classes);
  if (list.labels_of_videos > list.videos) fmt::print(", {} labels", list.labels_of_videos);
  fmt::print("\n{}", table.text());
  if (!list.rarest.empty()) fmt::print("rarest classes: {}\n", joined(list.rarest));
  if (!list.bare_classes.empty()) {
    fmt::print("{} classes without videos: {}\n", list.bare_classes.size(),
               joined_names(list.bare_classes, kNamedClasses));
  }
  if (!measured) return;
  fmt::print("{:.2f} hours in {} videos that decode; {} do not, {} are not in the manifest\n",
             measured->hours, measured->videos, measured->failed, measured->unknown);
  fmt::print("sizes: {}\ncodecs: {}\n", joined(measured->sizes), joined(measured->codecs));
}

void show(const Options& options) {
  const auto [list, labels] = options.list.read_with_labels();
  const auto counted = count_classes(list, labels ? &*labels : nullptr);
  std::optional<MeasuredStatistics> measured;
  if (!options.manifest.empty()) measured = measure(list, read_manifest(options.manifest));
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(counted, measured)));
  } else {
    print(counted, measured);
  }
}

}  // namespace

void add_dataset_stats(CLI::App& dataset, int& /*exit_code*/) {
  auto options = std::make_shared<Options>();
  auto* command =
      dataset.add_subcommand("stats", "classes and videos of a list, and how long and large they are");
  options->list.add_to(*command, /*required=*/true);
  command->add_option("--manifest", options->manifest,
                      "manifest.csv of `dataset verify` for the same list and root: seconds, sizes, codecs");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example:\n  actionclip dataset stats --list data/ucf101/lists/train.txt --root data/ucf101/UCF-101 "
      "--labels data/ucf101/lists/labels.csv --manifest checked/manifest.csv");
  command->callback([options] { show(*options); });
}

}  // namespace actionclip
