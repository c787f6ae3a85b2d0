#include "actionclip/video/prepare.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/added_files.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"

#include "video/prepare/plan.h"
#include "video/prepare/resolve.h"
#include "video/prepare/write.h"

namespace actionclip {
namespace {

struct KnownDataset {
  const char* name;
  const char* needs;
  DatasetPlan (*plan)(const PrepareInput&);
  bool (*is_annotation)(const std::filesystem::path&);
};

constexpr const char* kKineticsNeeds =
    "train.csv, val.csv (label,youtube_id,time_start,time_end,split), or none: a folder a split and class";

constexpr std::array<KnownDataset, 7> kDatasets = {{
    {"kinetics400", kKineticsNeeds, plan_kinetics, is_kinetics_annotation},
    {"kinetics600", kKineticsNeeds, plan_kinetics, is_kinetics_annotation},
    {"ucf101", "classInd.txt, trainlist01.txt, testlist01.txt ...", plan_ucf101, is_ucf101_annotation},
    {"hmdb51", "CLASS_test_split1.txt ...", plan_hmdb51, is_hmdb51_annotation},
    {"something_something", "train.json, validation.json", plan_something_something,
     is_something_something_annotation},
    {"charades", "Charades_v1_train.csv, Charades_v1_test.csv, Charades_v1_classes.txt", plan_charades,
     is_charades_annotation},
    {"class_folders", "none: a folder a class, perhaps in folders train, val and test", plan_class_folders,
     [](const std::filesystem::path&) { return false; }},
}};

const KnownDataset& find_dataset(const std::string& name) {
  const auto* known = std::ranges::find(kDatasets, name, &KnownDataset::name);
  if (known != kDatasets.end()) return *known;
  std::vector<std::string> names;
  for (const auto& dataset : kDatasets) names.emplace_back(dataset.name);
  throw UsageError(fmt::format("unknown data set '{}'; known: {}", name, fmt::join(names, ", ")));
}

constexpr const char* kRecord = "prepared.json";

// What an earlier call wrote into `output`: a list can have the name of annotations.
class OwnFiles {
 public:
  explicit OwnFiles(const std::filesystem::path& output)
      : output_(output), names_(added_files(output, kRecord)) {}

  bool contain(const std::filesystem::path& file) const {
    std::error_code unknown;
    return std::ranges::find(names_, file.filename().string()) != names_.end() &&
           std::filesystem::equivalent(file.parent_path(), output_, unknown);
  }

 private:
  std::filesystem::path output_;
  std::vector<std::string> names_;
};

// The files that --annotations names, and of folders, or of root, those that have the right names.
std::vector<std::filesystem::path> annotation_files(const PrepareOptions& options, const VideoTree& videos,
                                                    const std::filesystem::path& output) {
  const auto& dataset = find_dataset(options.dataset);
  const auto is_annotation = dataset.is_annotation;
  const OwnFiles own(output);
  std::vector<std::filesystem::path> files;
  const auto add_from = [&](const VideoTree& folder) {
    std::ranges::copy_if(folder.texts(), std::back_inserter(files),
                         [&](const auto& file) { return is_annotation(file) && !own.contain(file); });
  };
  if (options.annotations.empty()) add_from(videos);
  for (const auto& path : options.annotations) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) {
      add_from(VideoTree(path));
    } else if (!std::filesystem::exists(path, unknown)) {
      throw Error(fmt::format("--annotations {}: no such file or folder", path.string()));
    } else if (is_annotation(path)) {
      files.push_back(path);
    } else {
      throw Error(fmt::format("--annotations {}: not a name that {} has for its annotations ({})",
                              path.string(), dataset.name, dataset.needs));
    }
  }
  if (files.empty() && !options.annotations.empty()) {
    throw Error(fmt::format("--annotations {}: holds no annotations of {} ({})",
                            options.annotations.front().string(), dataset.name, dataset.needs));
  }
  std::ranges::sort(files);
  const auto repeated = std::ranges::unique(files);
  files.erase(repeated.begin(), repeated.end());
  return files;
}

// All that the result depends on beside the videos that are there.
std::string settings_text(const PrepareOptions& options, std::span<const std::filesystem::path> annotations) {
  auto files = nlohmann::ordered_json::array();
  for (const auto& file : annotations) files.push_back({file.string(), sha256_of_file(file)});
  const nlohmann::ordered_json settings = {
      {"dataset", options.dataset},
      {"root", std::filesystem::absolute(options.root).lexically_normal().string()},
      {"annotations", files},
      {"labels", options.labels.empty() ? "" : sha256_of_file(options.labels)},
      {"max_missing", options.max_missing},
      {"untrimmed", options.untrimmed},
  };
  return json_text(settings) + "\n";
}

// Lists none of whose videos are there belong to a part of the data set that was not downloaded: they do not
// count. Throws Error if that is every list, or if too many are missing from the rest.
void check_missing(const std::vector<FoundList>& lists, const PrepareOptions& options) {
  constexpr std::size_t kNamed = 3;
  std::int64_t listed = 0, missing = 0;
  std::vector<std::string> examples;
  for (const auto& list : lists) {
    for (const auto& name : list.missing) {
      if (examples.size() < kNamed) examples.push_back(name);
    }
    if (list.videos.empty()) continue;
    listed += std::ssize(list.videos);
    missing += std::ssize(list.missing);
  }
  if (listed == 0) {
    throw Error(fmt::format(
        "{}: holds none of the videos that the annotations name{}{}; is it the right --root?",
        options.root.string(), examples.empty() ? "" : ", for example ", fmt::join(examples, ", ")));
  }
  const double share = static_cast<double>(missing) / static_cast<double>(listed + missing);
  if (share <= options.max_missing) return;
  throw Error(fmt::format(
      "{}: {} of {} videos ({:.1f} %) are missing, more than --max-missing {} allows, for example {}; "
      "complete them, or raise it",
      options.root.string(), missing, listed + missing, 100 * share, options.max_missing,
      fmt::join(examples, ", ")));
}

PreparedList describe(const FoundList& list, const LabelSet& labels, const std::string& text) {
  std::vector<bool> seen(static_cast<std::size_t>(labels.size()), false);
  for (const auto& video : list.videos) {
    for (const auto id : video.label_ids) seen[static_cast<std::size_t>(id)] = true;
  }
  PreparedList prepared;
  prepared.file = list.videos.empty() ? "" : list.file;
  prepared.split = list.split;
  prepared.videos = std::ssize(list.videos);
  prepared.missing = std::ssize(list.missing);
  prepared.repeated = list.repeated;
  prepared.classes = std::ranges::count(seen, true);
  for (std::int64_t id = 0; id < labels.size() && !list.videos.empty(); ++id) {
    if (!seen[static_cast<std::size_t>(id)]) prepared.bare_classes.push_back(labels.name(id));
  }
  if (!list.videos.empty()) prepared.sha256 = sha256_of(text);
  return prepared;
}

std::int64_t count_unlisted(const std::vector<FoundList>& lists, const VideoTree& videos) {
  std::unordered_set<std::string_view> listed;
  for (const auto& list : lists) {
    for (const auto& video : list.videos) listed.insert(video.path);
  }
  return std::ranges::count_if(videos.videos(), [&](const auto& path) { return !listed.contains(path); });
}

// What tells whether the same videos are there.
std::string tree_hash(const VideoTree& videos) {
  std::string names;
  for (const auto* paths : {&videos.videos(), &videos.frame_folders()}) {
    for (const auto& path : *paths) names += path + '\n';
    names += '\n';
  }
  return sha256_of(names);
}

LabelSet labels_of_plan(const DatasetPlan& plan, std::optional<LabelSet> given) {
  if (plan.class_names.empty() && given) return *std::move(given);
  return LabelSet(plan.class_names, plan.columns, "the data set's own labels");
}

struct Prepared {
  ListFormat format;
  PrepareReport report;
  LabelSet labels;
  std::vector<FoundList> lists;
};

Prepared find_videos(const PrepareOptions& options, const PrepareInput& input,
                     const std::optional<LabelSet>& given) {
  if (input.videos.videos().empty() && input.videos.frame_folders().empty())
    throw Error(fmt::format("{}: holds no video", options.root.string()));
  const DatasetPlan plan = find_dataset(options.dataset).plan(input);
  LabelSet labels = labels_of_plan(plan, given);
  auto lists = resolve_plan(plan, labels, input.videos);
  check_missing(lists, options);
  PrepareReport report;
  report.tree = tree_hash(input.videos);
  report.format = boost::describe::enum_to_string(plan.format, "");
  report.labels = labels.size();
  report.unlisted = count_unlisted(lists, input.videos);
  for (const auto& list : lists) report.lists.push_back(describe(list, labels, list_text(list, plan.format)));
  return {plan.format, std::move(report), std::move(labels), std::move(lists)};
}

}  // namespace

std::vector<PreparableDataset> preparable_datasets() {
  std::vector<PreparableDataset> datasets;
  for (const auto& dataset : kDatasets) datasets.push_back({dataset.name, dataset.needs});
  return datasets;
}

PrepareReport prepare_dataset(const PrepareOptions& options, const std::filesystem::path& output) {
  find_dataset(options.dataset);
  if (options.untrimmed && !options.dataset.starts_with("kinetics"))
    throw UsageError(fmt::format("--untrimmed: is of Kinetics, not of {}", options.dataset));
  const VideoTree videos(options.root);
  const auto given = options.labels.empty() ? std::nullopt : std::optional(read_labels(options.labels));
  const PrepareInput input{videos, annotation_files(options, videos, output), given ? &*given : nullptr,
                           options.untrimmed};
  PrepareReport report;
  const bool made = add_files_once(
      output, kRecord, settings_text(options, input.annotations),
      [&](const std::filesystem::path& folder) {
        auto prepared = find_videos(options, input, given);
        report = std::move(prepared.report);
        write_prepared(folder, report, prepared.labels, prepared.lists, prepared.format);
      },
      options.force);
  if (made) return report;
  report = read_summary(output);
  report.made = false;
  report.changed = !report.tree.empty() && report.tree != tree_hash(videos);
  return report;
}

}  // namespace actionclip
