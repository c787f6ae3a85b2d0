#include "actionclip/protocols/report.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"

#include "confusion.h"
#include "html.h"
#include "page.h"
#include "sections.h"

namespace actionclip {
namespace {

using namespace detail;

std::string navigation(const std::vector<std::pair<const char*, const char*>>& links,
                       const std::string& content) {
  std::string html;
  for (const auto& [id, name] : links) {
    if (content.find(fmt::format("<section id=\"{}\">", id)) != std::string::npos)
      html += fmt::format("<a href=\"#{}\">{}</a>", id, name);
  }
  return "<nav><div>" + html + "</div></nav>\n";
}

std::string kind_of(const RunRecord& run) {
  std::vector<std::string> kinds;
  if (!run.curves.empty()) kinds.emplace_back("training");
  if (!run.evaluation.is_null()) kinds.emplace_back("evaluation");
  if (!run.zero_shot.is_null()) kinds.emplace_back("zero-shot");
  if (!run.few_shot.is_null()) kinds.emplace_back("few-shot");
  if (!run.base_to_novel.is_null()) kinds.emplace_back("base to novel");
  std::string text;
  for (const auto& kind : kinds) text += (text.empty() ? "" : ", ") + kind;
  return text;
}

std::string without_evaluation(const RunRecord& run) {
  for (const auto* results : {&run.evaluation, &run.zero_shot, &run.few_shot, &run.base_to_novel}) {
    if (!results->is_null()) return "";
  }
  return "<p class=\"note\">There is no evaluation in this folder, and so no classes, confusion and example "
         "clips: "
         "<code>actionclip evaluate --output</code> with this folder adds them.</p>\n";
}

}  // namespace

std::string report_html(const RunRecord& run, const ExampleClips& examples) {
  constexpr std::size_t kMaxName = 300;
  const auto name = escape_html(run_name(run), kMaxName);
  const auto by_class = class_results(run);
  const bool has_examples = !run.evaluation.is_null() || shows_zero_shot(run);
  const std::string content =
      figures_section(run) + without_evaluation(run) + zero_shot_section(run) + few_shot_section(run) +
      base_to_novel_section(run) + curves_section(run) +
      (by_class.confusion ? confusion_section(*by_class.confusion, by_class.source) : "") +
      classes_section(by_class) + (has_examples ? examples_section(examples, by_class.source) : "") +
      failures_section(run) + machine_section(run) + config_section(run);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:; script-src '{}'\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n<p>{} · "
      "{}</p>\n</header>\n{}<main>\n{}</main>\n"
      "<script>{}</script>\n</body>\n</html>\n",
      script_hash(), name, kPageStyle, name, kind_of(run), escape_html(run.folder.string(), kMaxName),
      navigation({{"figures", "Figures"},
                  {"zero-shot", "Zero-shot"},
                  {"few-shot", "Few-shot"},
                  {"base-to-novel", "Base to novel"},
                  {"curves", "Curves"},
                  {"confusion", "Confusion"},
                  {"classes", "Classes"},
                  {"examples", "Examples"},
                  {"failures", "Failed"},
                  {"machine", "Machine"},
                  {"config", "Settings"}},
                 content),
      content, kPageScript);
}

void write_report(const std::filesystem::path& run_folder, const std::filesystem::path& output) {
  const auto run = read_run(run_folder);
  write_file_atomically(output, report_html(run, find_examples(run)));
}

void write_report_or_warn(const std::filesystem::path& run_folder) {
  const auto file = run_folder / "report.html";
  try {
    write_report(run_folder, file);
    spdlog::info("report: {}", file.string());
  } catch (const std::exception& problem) {
    spdlog::warn("no report was written ({}); actionclip report {} tries again", problem.what(),
                 run_folder.string());
  }
}

}  // namespace actionclip
