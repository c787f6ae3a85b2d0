// actionclip base-to-novel: K clips of each base class, a test on base and novel classes, their harmonic
// mean.

#include "actionclip/protocols/base_to_novel.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/json_text.h"
#include "actionclip/protocols/run_record.h"

#include "tools/results.h"
#include "tools/shot_command.h"

namespace actionclip {
namespace {

struct Options {
  ShotCommandOptions common;
  BaseToNovelOptions protocol;
  std::string base_labels, novel_labels;
};

int base_to_novel_command(Options options) {
  const Experiment experiment = options.common.load(options.protocol.runs, TestVideos::in_parts);
  options.protocol.base_labels = options.base_labels;
  options.protocol.novel_labels = options.novel_labels;
  BaseToNovelResult result;
  if (run_base_to_novel(experiment, options.protocol, result) == TrainOutcome::stopped_by_signal) {
    spdlog::warn("base-to-novel: stopped by a signal: the same command goes on from here");
    return kExitResumable;
  }
  describe_results(options.protocol.runs.output, "base-to-novel", kBaseToNovelConfigName, experiment,
                   options.protocol.runs.device, 1);
  if (options.common.json) {
    fmt::print("{}\n", json_text(to_json(result)));
  } else {
    fmt::print(
        "base-to-novel on {} (test: {}): {} base classes ({} videos), {} novel ones ({} videos), top-1 ± "
        "half the 95 % interval\n{}",
        experiment.data.labels.string(), experiment.data.test.list.string(), result.base_labels.size(),
        result.base_videos, result.novel_labels.size(), result.novel_videos, to_table(result));
  }
  return kExitDone;
}

}  // namespace

void add_base_to_novel_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand(
      "base-to-novel", "fine-tune on K clips of each base class, and test on base and novel classes");
  options->common.add_to(*command, options->protocol.runs);
  command
      ->add_option("--base-labels", options->base_labels,
                   "label file that names the base classes; default: those that are not novel, or the first "
                   "half of data.labels")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--novel-labels", options->novel_labels,
                   "label file that names the novel classes; default: those that are not base")
      ->check(CLI::ExistingFile);
  command->footer(
      "Example:\n  actionclip base-to-novel --config configs/synthetic/few_shot.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --shots 8 --seeds 1,2,3 --output runs/demo/base_to_novel\n"
      "--output gets base_to_novel.json, base_to_novel.svg, report.html, and a folder for each run. A clip "
      "that is in a "
      "test list too stops the command before anything is trained.\n"
      "SIGINT, SIGTERM and SIGUSR1 stop it (exit code 75); the same command goes on from there.");
  command->callback([options, &exit_code] { exit_code = base_to_novel_command(*options); });
}

}  // namespace actionclip
