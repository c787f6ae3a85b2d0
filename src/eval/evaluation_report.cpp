#include "actionclip/eval/evaluation_report.h"

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/eval/calibration.h"

namespace actionclip {
namespace {

nlohmann::ordered_json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
}

std::vector<UnscoredVideo> failed_videos(const VideoScores& scores) {
  std::vector<UnscoredVideo> failed;
  for (const auto& video : scores.videos) {
    if (!video.failure.empty()) failed.push_back({video.path, video.failure});
  }
  return failed;
}

// What the scores say of their views; none where they say nothing, as of fused ones that differ.
std::optional<std::int64_t> views_of(const VideoScores& scores) {
  const auto told = scores.origin.find("views");
  std::int64_t views = 0;
  if (told == scores.origin.end() ||
      std::from_chars(told->second.data(), told->second.data() + told->second.size(), views).ec !=
          std::errc())
    return std::nullopt;
  return views;
}

std::string table_row(const std::string& name, const std::string& value, const std::string& note = "") {
  return fmt::format("  {:<40}{:>10}{}\n", name, value, note.empty() ? "" : "  " + note);
}

std::string percent_row(const std::string& name, double percent) {
  return table_row(name, fmt::format("{:.2f}", percent));
}

std::string range(const Interval& interval) {
  return fmt::format("[{:.2f}, {:.2f}]", interval.low, interval.high);
}

}  // namespace

EvaluationReport report_of(VideoScores scores) {
  EvaluationReport report{.metrics = metrics_of(scores),
                          .figures = figures_of(scores),
                          .calibration_error = calibration_error(scores),
                          .loss = mean_loss(scores),
                          .views = views_of(scores),
                          .failed = failed_videos(scores)};
  report.scores = std::move(scores);
  return report;
}

nlohmann::ordered_json to_json(const EvaluationReport& report) {
  nlohmann::ordered_json json;
  for (const auto& figure : report.figures) json[figure.name] = figure.percent;
  if (!report.scores.multi_label)
    json["ece"] = report.calibration_error ? nlohmann::ordered_json(*report.calibration_error) : nullptr;
  json["samples"] = report.samples();
  json["failed"] = report.failed.size();
  json["loss"] = number_or_null(report.loss);
  json["views"] = report.views ? nlohmann::ordered_json(*report.views) : nullptr;
  json["intervals"] = intervals_json(report.figures);
  for (const auto& [column, top1] : report.group_top1) json["groups"][column] = top1;
  if (report.pair_accuracy) json["pairs"] = *report.pair_accuracy;
  for (const auto& [column, by_entry] : report.pair_accuracy_by) json["pairs_by"][column] = by_entry;
  return json;
}

std::string to_table(const EvaluationReport& report) {
  std::string table;
  for (const auto& figure : report.figures)
    table += table_row(title_of(figure), fmt::format("{:.2f}", figure.percent), range(figure.interval));
  if (report.calibration_error) table += percent_row("calibration error (%)", *report.calibration_error);
  for (const auto& [column, top1] : report.group_top1) table += percent_row(column + " top-1 (%)", top1);
  if (report.pair_accuracy) table += percent_row("pairs (%)", *report.pair_accuracy);
  for (const auto& [column, by_entry] : report.pair_accuracy_by) {
    for (const auto& [entry, percent] : by_entry)
      table += percent_row(fmt::format("  {} {} (%)", column, entry), percent);
  }
  table += table_row("loss", std::isfinite(report.loss) ? fmt::format("{:.4f}", report.loss) : "not known");
  table += table_row("videos", fmt::format("{}", report.samples()));
  table += table_row("failed (count as wrong)", fmt::format("{}", report.failed.size()));
  table += table_row("views a video", report.views ? fmt::format("{}", *report.views) : "not known");
  return table + "  [ , ]: 95 % of draws of the videos, with replacement\n";
}

std::string with_interval(const Figure& figure) {
  return fmt::format("{:.2f} {}", figure.percent, range(figure.interval));
}

nlohmann::ordered_json intervals_json(const std::vector<Figure>& figures) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& figure : figures) json[figure.name] = {figure.interval.low, figure.interval.high};
  return json;
}

}  // namespace actionclip
