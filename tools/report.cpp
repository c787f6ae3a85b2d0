// actionclip report: what a run measured as one page. actionclip compare: runs side by side.

#include "actionclip/protocols/report.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/protocols/compare.h"

#include "tools/command.h"
#include "tools/text_table.h"

namespace actionclip {
namespace {

struct ReportOptions {
  std::string run;
  std::string output;
};

struct CompareOptions {
  std::vector<std::string> runs;
  bool json = false;
};

void report_command(const ReportOptions& options) {
  const std::filesystem::path run = options.run;
  const auto output = options.output.empty() ? run / "report.html" : std::filesystem::path(options.output);
  write_report(run, output);
  fmt::print("{}\n", output.string());
}

template <typename Value>
std::string cell(const std::optional<Value>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string interval_cell(const std::optional<Interval>& interval) {
  return interval ? fmt::format("[{:.2f}, {:.2f}]", interval->low, interval->high) : "-";
}

void print_runs(const std::vector<RunSummary>& runs) {
  TextTable table({"run", "top-1", "top-5", "mAP", "95 %", "loss", "epochs", "lr", "arch", "frames",
                   "videos/s", "figures of"});
  for (const auto& run : runs) {
    table.add({run.name, cell(run.top1, "{:.2f}"), cell(run.top5, "{:.2f}"), cell(run.map, "{:.2f}"),
               interval_cell(run.interval), cell(run.loss, "{:.4f}"), cell(run.epochs, "{}"),
               cell(run.lr, "{:.3g}"), run.arch.empty() ? "-" : run.arch, cell(run.frames, "{}"),
               cell(run.videos_per_second, "{:.1f}"), run.source.empty() ? "-" : run.source});
  }
  fmt::print("{}", table.text());
}

void print_differences(const std::vector<RunSummary>& runs, const std::vector<RunDifference>& differences) {
  TextTable table(
      {"second", "against first", "scored on", "figure", "points more", "95 %", "more than chance"});
  bool any = false;
  for (const auto& difference : differences) {
    const auto& first = runs[difference.first].name;
    const auto& second = runs[difference.second].name;
    for (const auto& figure : difference.figures) {
      table.add({second, first, difference.scored.empty() ? "evaluate" : difference.scored, figure.name,
                 fmt::format("{:+.2f}", figure.percent), interval_cell(figure.interval),
                 is_more_than_chance(figure) ? "yes" : "no"});
      any = true;
    }
  }
  if (any) fmt::print("\n{}", table.text());
  for (const auto& difference : differences) {
    if (difference.unknown.empty()) continue;
    fmt::print("\n{} against {}{}: cannot tell whether they differ: {}\n", runs[difference.second].name,
               runs[difference.first].name,
               difference.scored.empty() ? "" : fmt::format(" ({})", difference.scored), difference.unknown);
  }
}

void compare_command(const CompareOptions& options) {
  if (options.runs.size() < 2) throw UsageError("compare: give two or more folders of runs");
  std::vector<RunRecord> records;
  std::vector<RunSummary> summaries;
  for (const auto& folder : options.runs) {
    records.push_back(read_run(folder));
    summaries.push_back(summarize(records.back()));
    for (const auto& problem : records.back().problems) spdlog::warn("{}: {}", folder, problem);
  }
  const auto differences = differences_of(records);
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(summaries, differences)));
    return;
  }
  print_runs(summaries);
  print_differences(summaries, differences);
}

}  // namespace

void add_report_command(CLI::App& program) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = program.add_subcommand("report", "what a run measured, as one HTML page");
  command->add_option("run", options->run, "folder of a run: of train, or of --output of another command")
      ->required();
  command->add_option("--output", options->output, "the HTML file; default: report.html in the folder");
  command->footer(
      "Example:\n  actionclip report runs/demo/finetune\nThe page needs no network, and nothing beside "
      "itself. "
      "Example clips are read from where the run's settings\nsay the videos lie.");
  command->callback([options] { report_command(*options); });
}

void add_compare_command(CLI::App& program) {
  auto options = std::make_shared<CompareOptions>();
  auto* command =
      program.add_subcommand("compare", "runs side by side, and whether they differ by more than chance");
  command->add_option("runs", options->runs, "folders of runs")->required();
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "Example:\n  actionclip compare runs/a runs/b\n"
      "Where both folders hold scores of the same list (of evaluate or zero-shot --output), the difference\n"
      "comes with a 95 % interval: a paired bootstrap over its videos; that of few-shot and base-to-novel "
      "runs\n"
      "is Student's, over the seeds of both.");
  command->callback([options] { compare_command(*options); });
}

}  // namespace actionclip
