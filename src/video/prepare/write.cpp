#include "video/prepare/write.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/text/csv.h"
#include "actionclip/video/flip_labels.h"

namespace actionclip {
namespace {

constexpr const char* kTableLabelSeparator = ";";
constexpr const char* kSummaryFile = "summary.json";

// Without fsync: add_files_once() does it for all files at once.
void write_text(const std::filesystem::path& path, const std::string& text) { OutputFile(path).write(text); }

// A path such that a list's line is not taken for a comment, nor its first blanks for white space.
std::string path_in_list(const std::string& path) {
  const bool misread =
      path.starts_with("# ") || path.starts_with("#\t") || path.starts_with(' ') || path.starts_with('\t');
  return misread ? "./" + path : path;
}

std::string table_text(const FoundList& list) {
  const bool has_ranges = std::ranges::any_of(
      list.videos, [](const FoundVideo& video) { return video.start > 0 || std::isfinite(video.end); });
  std::string text = has_ranges ? "path,label,start,end\n" : "path,label\n";
  for (const auto& video : list.videos) {
    text += fmt::format("{},{}", csv_field(video.path), fmt::join(video.label_ids, kTableLabelSeparator));
    if (has_ranges) {
      text +=
          fmt::format(",{},{}", video.start, std::isfinite(video.end) ? fmt::format("{}", video.end) : "");
    }
    text += '\n';
  }
  return text;
}

std::string labels_text(const LabelSet& labels) {
  std::string text = "id,name";
  for (const auto& column : labels.columns()) text += "," + csv_field(column.name);
  text += '\n';
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    text += fmt::format("{},{}", id, csv_field(labels.name(id)));
    for (const auto& column : labels.columns())
      text += "," + csv_field(column.values[static_cast<std::size_t>(id)]);
    text += '\n';
  }
  return text;
}

nlohmann::ordered_json to_json(const PreparedList& list) {
  return {{"split", list.split},
          {"file", list.file},
          {"videos", list.videos},
          {"missing", list.missing},
          {"repeated", list.repeated},
          {"classes", list.classes},
          {"classes_without_videos", list.bare_classes},
          {"sha256", list.sha256}};
}

PreparedList from_json(const nlohmann::json& json) {
  return {.file = json.at("file"),
          .split = json.at("split"),
          .videos = json.at("videos"),
          .missing = json.at("missing"),
          .repeated = json.at("repeated"),
          .classes = json.at("classes"),
          .bare_classes = json.at("classes_without_videos"),
          .sha256 = json.at("sha256")};
}

}  // namespace

std::string list_text(const FoundList& list, ListFormat format) {
  if (format == ListFormat::table) return table_text(list);
  std::string text;
  for (const auto& video : list.videos) {
    text += fmt::format("{} {}\n", path_in_list(video.path), video.label_ids.front());
  }
  return text;
}

void write_prepared(const std::filesystem::path& folder, const PrepareReport& report, const LabelSet& labels,
                    const std::vector<FoundList>& lists, ListFormat format) {
  write_text(folder / "labels.csv", labels_text(labels));
  std::vector<std::string> alone;
  if (const auto pairs = left_right_pairs(labels, alone); !pairs.empty()) {
    write_text(folder / "flip_labels.csv", pairs);
    if (!alone.empty()) {
      spdlog::warn(
          "flip_labels.csv: {} labels say left or right and have no mirror image, as '{}'; a mirrored clip "
          "keeps them",
          alone.size(), alone.front());
    }
  }
  std::string missing = "list,video\n";
  for (const auto& list : lists) {
    if (!list.videos.empty()) write_text(folder / list.file, list_text(list, format));
    for (const auto& name : list.missing) missing += fmt::format("{},{}\n", list.file, csv_field(name));
  }
  write_text(folder / "missing.txt", missing);
  write_text(folder / kSummaryFile, summary_json(report));
}

std::string summary_json(const PrepareReport& report) {
  auto lists = nlohmann::ordered_json::array();
  for (const auto& list : report.lists) lists.push_back(to_json(list));
  const nlohmann::ordered_json summary = {{"format", report.format},
                                          {"labels", report.labels},
                                          {"unlisted_videos", report.unlisted},
                                          {"tree", report.tree},
                                          {"lists", lists}};
  return json_text(summary) + "\n";
}

PrepareReport read_summary(const std::filesystem::path& folder) {
  const auto file = folder / kSummaryFile;
  try {
    const auto summary = nlohmann::json::parse(read_text_file(file));
    PrepareReport report;
    report.format = summary.at("format");
    report.labels = summary.at("labels");
    report.unlisted = summary.at("unlisted_videos");
    report.tree = summary.value("tree", "");  // older ones do not tell
    for (const auto& list : summary.at("lists")) report.lists.push_back(from_json(list));
    return report;
  } catch (const nlohmann::json::exception& problem) {
    throw Error(fmt::format("{}: damaged ({}); make it anew with --force", file.string(), problem.what()));
  }
}

}  // namespace actionclip
