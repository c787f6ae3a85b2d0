// actionclip dataset verify: whether videos decode, what they are, and which are the same.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/exit_code.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/json_text.h"
#include "actionclip/text/csv.h"
#include "actionclip/video/list_filter.h"
#include "actionclip/video/verify.h"

#include "tools/dataset_commands.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

constexpr std::size_t kShown = 20;  // failures and duplicates; the files have all

struct Options {
  ListOptions list;
  std::vector<std::string> paths;
  std::string against;
  std::string against_root;
  std::string write_list;
  std::string output;
  VerifyOptions verify;
  bool json = false;
};

// A line of a list that names what another one does.
struct RepeatedLine {
  std::string path;
  std::int64_t first = 0, line = 0;
  bool other_labels = false;
};

// The videos of --list or of the command line, and behind them those of --against.
struct Collection {
  std::optional<VideoList> list;
  std::optional<VideoList> against;
  std::vector<VideoToVerify> videos;
  std::size_t own = 0;                 // of `videos`, those before --against's
  std::vector<RepeatedLine> repeated;  // of --list
};

// Each video once: a list may name several parts of one. Returns the lines that name a video, and the same
// part of it, which stands above already.
std::vector<RepeatedLine> add_videos(const VideoList& list, std::vector<VideoToVerify>& videos) {
  std::unordered_set<std::string> added;
  std::map<std::tuple<std::string, double, double>, std::int64_t> first;  // the index that names it
  std::vector<RepeatedLine> repeated;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    auto entry = list.entry(i);
    const auto [above, is_new] =
        first.try_emplace({entry.path.lexically_normal().string(), entry.range.start, entry.range.end}, i);
    if (!is_new) {
      const auto other = list.entry(above->second);
      repeated.push_back({entry.path.string(), other.line, entry.line, other.label_ids != entry.label_ids});
    }
    if (added.insert(entry.path.string()).second) videos.push_back({std::move(entry), list.config()});
  }
  return repeated;
}

Collection collect(const Options& options) {
  if (options.list.list.empty() == options.paths.empty()) {
    throw UsageError("give either --list FILE or paths of videos");
  }
  if (options.list.list.empty() && !(options.against.empty() && options.write_list.empty())) {
    throw UsageError("--against and --write-list need --list");
  }
  for (const auto& read : {options.list.list, options.against}) {
    std::error_code missing;
    if (!options.write_list.empty() && std::filesystem::equivalent(read, options.write_list, missing))
      throw UsageError(fmt::format("--write-list: {} is a list that is read; name another file", read));
  }
  Collection all;
  for (const auto& path : options.paths) {
    for (auto& video : videos_at(path)) all.videos.push_back(std::move(video));
  }
  if (options.list.list.empty()) {
    all.own = all.videos.size();
    return all;
  }
  all.list = options.list.read_with_labels().list;
  all.repeated = add_videos(*all.list, all.videos);
  all.own = all.videos.size();
  if (options.against.empty()) return all;
  ListOptions other = options.list;
  other.list = options.against;
  if (!options.against_root.empty()) other.root = options.against_root;
  all.against = other.read_with_labels().list;
  add_videos(*all.against, all.videos);
  return all;
}

std::unordered_set<std::string> failed_paths(const std::vector<VideoFacts>& videos) {
  std::unordered_set<std::string> failed;
  for (const auto& video : videos) {
    if (!video.decodable) failed.insert(video.path);
  }
  return failed;
}

FilteredList without_failed(const VideoList& list, const std::vector<VideoFacts>& videos) {
  const auto failed = failed_paths(videos);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (failed.contains(list.entry(i).path.string())) indices.push_back(i);
  }
  return filter_list(list, indices);
}

// Writes what of the lists can be used, and what not.
void write_lists(const Options& options, const Collection& all, const std::vector<VideoFacts>& own,
                 const std::vector<VideoFacts>& others) {
  const std::filesystem::path output = options.output;
  if (!all.list) {
    std::string skipped;
    for (const auto& video : own) skipped += video.decodable ? "" : video.path + "\n";
    if (!output.empty()) write_file_atomically(output / "skip.txt", skipped);
    return;
  }
  const bool has_lines = all.list->config().format != ListFormat::class_folders;
  if (!options.write_list.empty() || (!output.empty() && has_lines)) {
    const auto parts = without_failed(*all.list, own);
    if (!output.empty()) write_file_atomically(output / "skip.txt", parts.removed);
    if (!options.write_list.empty()) write_file_atomically(options.write_list, parts.kept);
  }
  if (all.against && !output.empty() && has_lines) {
    write_file_atomically(output / "skip_against.txt", without_failed(*all.against, others).removed);
  }
}

nlohmann::ordered_json to_json(const std::vector<RepeatedLine>& repeated) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& line : repeated) {
    json.push_back({{"video", line.path},
                    {"first_line", line.first},
                    {"line", line.line},
                    {"other_labels", line.other_labels}});
  }
  return json;
}

std::string duplicates_csv(const std::vector<DuplicatePair>& pairs, const std::vector<VideoFacts>& own,
                           const std::vector<VideoFacts>& others) {
  std::string text = "path,against,kind,distance\n";
  for (const auto& pair : pairs) {
    text += fmt::format("{},{},{},{}\n", csv_field(own[static_cast<std::size_t>(pair.left)].path),
                        csv_field(others[static_cast<std::size_t>(pair.right)].path),
                        pair.same_content ? "same" : "near", pair.distance);
  }
  return text;
}

nlohmann::ordered_json to_json(const std::vector<DuplicatePair>& pairs, const std::vector<VideoFacts>& own,
                               const std::vector<VideoFacts>& others) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& pair : pairs) {
    json.push_back({{"video", own[static_cast<std::size_t>(pair.left)].path},
                    {"against", others[static_cast<std::size_t>(pair.right)].path},
                    {"same_content", pair.same_content},
                    {"distance", pair.distance}});
  }
  return json;
}

nlohmann::ordered_json to_json(const std::vector<VideoFacts>& videos) {
  auto failed = nlohmann::ordered_json::array();
  double seconds = 0;
  std::int64_t frames = 0;
  for (const auto& video : videos) {
    seconds += video.seconds;
    frames += video.frames;
    if (!video.decodable) failed.push_back({{"video", video.path}, {"error", video.reason}});
  }
  return {{"videos", videos.size()},
          {"decodable", videos.size() - failed.size()},
          {"frames", frames},
          {"hours", seconds / 3600},
          {"failed", failed}};
}

void print_failures(const nlohmann::ordered_json& failed) {
  for (std::size_t i = 0; i < failed.size() && i < kShown; ++i) {
    const auto video = failed[i]["video"].get<std::string>(), reason = failed[i]["error"].get<std::string>();
    // Most reasons begin with the path.
    fmt::print("failed: {}{}\n", reason.starts_with(video) ? "" : video + ": ", reason);
  }
  if (failed.size() > kShown) fmt::print("... and {} more\n", failed.size() - kShown);
}

void print_duplicates(const nlohmann::ordered_json& duplicates, const char* where) {
  if (duplicates.empty()) return;
  TextTable table({"video", "against", "kind", "distance"});
  for (std::size_t i = 0; i < duplicates.size() && i < kShown; ++i) {
    const auto& pair = duplicates[i];
    table.add({pair["video"], pair["against"], pair["same_content"].get<bool>() ? "same" : "near",
               std::to_string(pair["distance"].get<int>())});
  }
  fmt::print("{} pair(s) of the same or nearly the same video {}:\n{}", duplicates.size(), where,
             table.text());
  if (duplicates.size() > kShown) fmt::print("... and {} more\n", duplicates.size() - kShown);
}

void print_repeated(const nlohmann::ordered_json& repeated) {
  for (std::size_t i = 0; i < repeated.size() && i < kShown; ++i) {
    fmt::print("listed twice: {}, in line {} and line {}{}\n", repeated[i]["video"].get<std::string>(),
               repeated[i]["first_line"].get<std::int64_t>(), repeated[i]["line"].get<std::int64_t>(),
               repeated[i]["other_labels"].get<bool>() ? ", with other labels" : "");
  }
  if (repeated.size() > kShown) fmt::print("... and {} more\n", repeated.size() - kShown);
}

void print_report(const nlohmann::ordered_json& report) {
  print_failures(report["failed"]);
  print_repeated(report["repeated_lines"]);
  print_duplicates(report["duplicates"], "in both lists");
  print_duplicates(report["duplicates_within"], "in the list");
  fmt::print("{} videos: {} decode ({} frames, {:.2f} hours), {} failed\n",
             report["videos"].get<std::int64_t>(), report["decodable"].get<std::int64_t>(),
             report["frames"].get<std::int64_t>(), report["hours"].get<double>(), report["failed"].size());
}

int verify(const Options& options) {
  const Collection all = collect(options);
  std::optional<FolderLock> lock;
  if (!options.output.empty()) {
    std::error_code code;
    std::filesystem::create_directories(options.output, code);
    if (code)
      throw Error(fmt::format("--output {}: cannot create the folder: {}", options.output, code.message()));
    lock.emplace(options.output);
  }
  ManifestJournal journal(options.output);
  const auto videos = verify_videos(all.videos, options.verify, journal);
  const auto border = videos.begin() + static_cast<std::ptrdiff_t>(all.own);
  const std::vector<VideoFacts> own(videos.begin(), border), others(border, videos.end());
  const auto pairs = all.against ? find_duplicates(own, others) : std::vector<DuplicatePair>();
  const auto within = find_duplicates_within(own);
  if (const std::filesystem::path output = options.output; !output.empty()) {
    if (all.against) write_file_atomically(output / "duplicates.csv", duplicates_csv(pairs, own, others));
    write_file_atomically(output / "duplicates_within.csv", duplicates_csv(within, own, own));
  }
  write_lists(options, all, own, others);
  journal.finish(videos);
  auto report = to_json(videos);
  report["repeated_lines"] = to_json(all.repeated);
  report["duplicates"] = to_json(pairs, own, others);
  report["duplicates_within"] = to_json(within, own, own);
  if (options.json) {
    fmt::print("{}\n", json_text(report));
  } else {
    print_report(report);
  }
  return report["failed"].empty() ? kExitDone : kExitError;
}

}  // namespace

void add_dataset_verify(CLI::App& dataset, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = dataset.add_subcommand(
      "verify", "decode every frame of videos, and find those that stand twice in a list or in two");
  options->list.add_to(*command, /*required=*/false);
  command->add_option("videos", options->paths,
                      "instead of --list: video files, images, folders of videos or of frames");
  command->add_option(
      "--against", options->against,
      "another list of the same format (--list is training, this is test): videos in both, or "
      "nearly the same in both, are reported");
  command->add_option("--against-root", options->against_root, "its root; default: --root");
  command->add_option("--write-list", options->write_list,
                      "file that gets the list without the videos that failed, its other lines untouched");
  command->add_option(
      "--output", options->output,
      "folder for manifest.csv, skip.txt (the lines that failed), duplicates_within.csv (pairs "
      "in the list) and duplicates.csv (with --against)");
  command->add_option("--video-seconds", options->verify.seconds, "that a video may take; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_workers_option(*command, options->verify.workers);
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example:\n  actionclip dataset verify --list train.txt --against val.txt --root videos --output "
      "checked "
      "--write-list train_good.txt\n"
      "With the same --output, videos that have not changed since are not decoded again. The exit code is 1 "
      "if "
      "a video failed.\nNearly the same: hashes of eight frames differ in at most " +
      std::to_string(kNearDistance) + " of " + std::to_string(kHashBits) +
      " bits, as those of a copy at another quality, size or frame rate do.");
  command->callback([options, &exit_code] { exit_code = verify(*options); });
}

}  // namespace actionclip
