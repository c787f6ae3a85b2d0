// Folders as runs leave them, made up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/json_text.h"
#include "actionclip/eval/video_scores.h"

#include "tests/temporary_folder.h"

namespace actionclip {

// metrics.jsonl of so many steps, with a validation behind every tenth.
inline std::string made_metrics(int steps) {
  std::string lines;
  for (int step = 1; step <= steps; ++step) {
    lines +=
        fmt::format(R"({{"split":"train","step":{},"epoch":0.5,"loss":{},"lr":0.001,"videos_per_second":{}}})"
                    "\n",
                    step, 4.0 / step, 100 + step);
    if (step % 10 == 0) {
      lines += fmt::format(R"({{"split":"val","step":{},"epoch":{},"top1":{},"top5":90.5,"loss":0.7}})"
                           "\n",
                           step, step / 10, 50 + step / 10);
    }
  }
  return lines;
}

inline std::vector<std::string> made_labels(int classes) {
  std::vector<std::string> labels;
  for (int c = 0; c < classes; ++c) labels.push_back(fmt::format("class number {}", c));
  return labels;
}

// evaluation.json and confusion.csv in which class c is right half of the time and else taken for the next.
inline void make_evaluation(const TemporaryFolder& folder, const std::vector<std::string>& labels) {
  nlohmann::ordered_json json = {{"top1", 50.0}, {"top5", 100.0}, {"samples", 2 * labels.size()},
                                 {"failed", 0},  {"loss", 0.7},   {"views", 1}};
  json["intervals"]["top1"] = {45.25, 54.75};
  json["failed_videos"] = nlohmann::ordered_json::array();
  std::string csv = "label";
  for (const auto& label : labels) {
    json["per_class"].push_back(
        {{"label", label}, {"samples", 2}, {"failed", 0}, {"top1", 50.0}, {"top5", 100.0}});
    csv += ",\"" + label + "\"";
  }
  for (std::size_t c = 0; c < labels.size(); ++c) {
    csv += "\n\"" + labels[c] + "\"";
    for (std::size_t p = 0; p < labels.size(); ++p)
      csv += p == c || p == (c + 1) % labels.size() ? ",1" : ",0";
  }
  folder.write("evaluation.json", json_text(json));
  folder.write("confusion.csv", csv + "\n");
}

// Scores of videos v0.mp4, v1.mp4 ... of two classes in turns; the first `right` of them are right.
inline VideoScores made_scores(int videos, int right) {
  VideoScores scores{.labels = {"running", "walking"}, .videos = {}, .probabilities = {}};
  for (int i = 0; i < videos; ++i) {
    scores.videos.push_back({.path = fmt::format("v{}.mp4", i), .label_ids = {i % 2}, .failure = ""});
    const float own = (i < right ? 0.6F : 0.2F) + 0.001F * static_cast<float>(i % 100);
    scores.probabilities.push_back(i % 2 == 0 ? own : 1 - own);
    scores.probabilities.push_back(i % 2 == 0 ? 1 - own : own);
  }
  return scores;
}

}  // namespace actionclip
