// Sections on what a run ran on, with and into: machine, log, failed videos, settings; and the example clips.
#include <algorithm>
#include <cstddef>
#include <regex>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/statistics.h"

#include "html.h"
#include "json_values.h"
#include "sections.h"

namespace actionclip::detail {
namespace {

constexpr std::size_t kMaxFailures = 200;
constexpr std::size_t kMaxText = 400;            // bytes of a path, a reason or a line of the log
constexpr std::size_t kMaxConfig = 256 << 10;    // bytes
constexpr std::size_t kMaxPictures = 2'000'000;  // bytes, before base64
constexpr std::size_t kMaxShownProblems = 20;

void add_throughput(const RunRecord& run, HtmlTable& table) {
  if (const auto curve = run.curves.find("train/videos_per_second"); curve != run.curves.end()) {
    table.add({"throughput",
               fmt::format("{:.1f} videos a second (median of {} steps)", median_of(curve->second.values),
                           grouped(static_cast<double>(curve->second.values.size())))});
  }
  if (const auto curve = run.curves.find("train/data_wait_fraction"); curve != run.curves.end()) {
    table.add({"waiting for data",
               fmt::format("{:.0f} % of a step (median)", 100 * median_of(curve->second.values))});
  }
  if (const auto sentence = text_at(run.bottleneck, "sentence"); !sentence.empty())
    table.add({"what limited it", escape_html(sentence, kMaxText)});
}

// Of machine.json: a line an entry; what a list holds side by side.
void add_entries(const nlohmann::ordered_json& json, const std::string& prefix, HtmlTable& table) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      add_entries(value, prefix + key + " ", table);
      continue;
    }
    std::string text;
    for (const auto& item : value.is_array() ? value : nlohmann::ordered_json::array({value})) {
      if (!text.empty()) text += ", ";
      text += item.is_string()         ? item.get<std::string>()
              : item.is_number_float() ? fmt::format("{:.6g}", item.get<double>())
                                       : item.dump();
    }
    table.add({escape_html(prefix + key, kMaxText), escape_html(text, kMaxText)});
  }
}

// "2026-11-27 07:12:56" of a line of train.log; empty if it does not begin so.
std::string date_of(const std::string& line) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (line.size() < kForm.size()) return "";
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0' ? line[i] >= '0' && line[i] <= '9' : line[i] == kForm[i];
    if (!fits) return "";
  }
  return line.substr(0, kForm.size());
}

void add_log_facts(const RunRecord& run, HtmlTable& table) {
  const auto begin = date_of(run.log_first), end = date_of(run.log_last);
  if (!begin.empty() && !end.empty()) table.add({"log from, to", begin + " – " + end});
  if (!run.machine.is_null()) return;
  // What older runs tell: "...; bf16 on cuda:0, seed 1024, torch 2.11.0".
  static const std::regex start("; (\\w+) on ([\\w:]+), seed \\d+, torch ([^ ,]+)");
  const auto line = run.log_first.substr(0, kMaxText);  // std::regex takes stack for every byte
  std::smatch match;
  if (!std::regex_search(line, match, start)) return;
  table.add({"device", escape_html(match[2].str())});
  table.add({"precision", escape_html(match[1].str())});
  table.add({"torch", escape_html(match[3].str())});
}

std::string notes_of(const RunRecord& run) {
  if (run.log_notes.empty()) return "";
  std::string lines;
  for (const auto& note : run.log_notes) lines += escape_html(note, kMaxText) + '\n';
  return fmt::format(
      "<details><summary>{} warnings and errors in train.log{}</summary>\n<pre>{}</pre></details>\n",
      grouped(static_cast<double>(run.log_note_count)),
      run.log_note_count > std::ssize(run.log_notes) ? fmt::format(" (the last {})", run.log_notes.size())
                                                     : "",
      lines);
}

std::string clip_figure(const ExampleClip& clip) {
  const auto kind = clip.right ? "right" : "wrong";
  std::string told = fmt::format("<b class=\"{}\">{}</b> <span>{:.0f} %</span>", kind,
                                 escape_html(clip.predicted, kMaxText), 100 * clip.probability);
  if (!clip.right) {
    told += fmt::format(" · true: <b>{}</b> <span>{:.0f} %</span>", escape_html(clip.truth, kMaxText),
                        100 * clip.truth_probability);
  }
  return fmt::format(
      "<figure class=\"clip\" style=\"--width:{3}px\"><img alt=\"frames of {0}\" "
      "src=\"data:image/jpeg;base64,{1}\">"
      "<figcaption>{2}<small>{0}</small></figcaption></figure>\n",
      escape_html(clip.path, kMaxText), base64(clip.jpeg), told, clip.width);
}

nlohmann::ordered_json failed_of(const RunRecord& run) {
  auto failed = nlohmann::ordered_json::array();
  const auto take = [&](const nlohmann::ordered_json& figures) {
    if (!figures.is_object() || !figures.contains("failed_videos")) return;
    for (const auto& video : figures["failed_videos"]) failed.push_back(video);
  };
  take(run.evaluation);
  if (run.zero_shot.is_object() && run.zero_shot.contains("splits")) {
    for (const auto& split : run.zero_shot["splits"]) take(split);
  }
  return failed;
}

}  // namespace

std::string examples_section(const ExampleClips& examples, const std::string& source) {
  std::string right, wrong;
  std::size_t bytes = 0;
  for (const auto& clip : examples.clips) {
    bytes += clip.jpeg.size();
    if (bytes > kMaxPictures) break;
    (clip.right ? right : wrong) += clip_figure(clip);
  }
  std::string html;
  if (!wrong.empty()) html += "<h3>Wrong, the surest first</h3>\n<div class=\"clips\">" + wrong + "</div>\n";
  if (!right.empty())
    html += "<h3>Right, of sure and of unsure ones</h3>\n<div class=\"clips\">" + right + "</div>\n";
  auto note = escape_html(source, 2 * kMaxText);
  if (!note.empty() && !examples.absence.empty()) note += ' ';
  note += escape_html(examples.absence, 2 * kMaxText);
  return section("examples", "Example clips", note, html);
}

std::string machine_section(const RunRecord& run) {
  HtmlTable facts({"", ""}, 2);
  add_throughput(run, facts);
  add_log_facts(run, facts);
  std::string html = facts.empty() ? "" : facts.html("facts");
  if (run.machine.is_object()) {
    for (const auto& [command, entries] : run.machine.items()) {
      HtmlTable table({"", ""}, 2);
      if (entries.is_object()) add_entries(entries, "", table);
      if (!table.empty()) html += "<h3>" + escape_html(command, kMaxText) + "</h3>\n" + table.html("facts");
    }
  }
  html += notes_of(run);
  return html.empty() ? "" : section("machine", "Machine and throughput", "", html);
}

std::string failures_section(const RunRecord& run) {
  const auto failed = failed_of(run);
  std::string html;
  if (!run.problems.empty()) {
    html += "<h3>Files of the run that could not be read</h3>\n<ul>";
    for (std::size_t i = 0; i < std::min(run.problems.size(), kMaxShownProblems); ++i)
      html += "<li>" + escape_html(run.problems[i], kMaxText) + "</li>\n";
    html += "</ul>\n";
  }
  if (!failed.empty()) {
    HtmlTable table({"video", "reason"}, 2);
    for (std::size_t i = 0; i < std::min(failed.size(), kMaxFailures); ++i)
      table.add({escape_html(text_at(failed[i], "path"), kMaxText),
                 escape_html(text_at(failed[i], "reason"), kMaxText)});
    html += table.html("facts long");
  }
  if (html.empty()) return "";
  std::string note;
  if (!failed.empty())
    note = grouped(static_cast<double>(failed.size())) + " videos could not be scored and count as wrong.";
  if (failed.size() > kMaxFailures) note += fmt::format(" The first {} are listed.", kMaxFailures);
  return section("failures", "Failed", note, html);
}

std::string config_section(const RunRecord& run) {
  if (run.config.empty()) return "";
  return section("config", "Settings", "",
                 fmt::format("<details><summary>{}{}</summary>\n<pre>{}</pre></details>\n", run.config_name,
                             run.config.size() > kMaxConfig ? " (its beginning)" : "",
                             escape_html(run.config, kMaxConfig)));
}

}  // namespace actionclip::detail
