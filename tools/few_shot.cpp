// actionclip few-shot: K clips a class, several seeds, a table.

#include "actionclip/protocols/few_shot.h"

#include <memory>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/json_text.h"
#include "actionclip/protocols/run_record.h"

#include "tools/command.h"
#include "tools/results.h"
#include "tools/shot_command.h"

namespace actionclip {
namespace {

struct Options {
  ShotCommandOptions common;
  ShotOptions runs;
};

int few_shot_command(Options options) {
  const Experiment experiment = options.common.load(options.runs, TestVideos::all);
  FewShotReport report;
  if (run_few_shot(experiment, options.runs, report) == TrainOutcome::stopped_by_signal) {
    spdlog::warn("few-shot: stopped by a signal: the same command goes on from here");
    return kExitResumable;
  }
  describe_results(options.runs.output, "few-shot", kFewShotConfigName, experiment, options.runs.device, 1);
  if (options.common.json) {
    fmt::print("{}\n", json_text(to_json(report)));
  } else {
    fmt::print("few-shot on {} (test: {})\n{}", experiment.data.labels.string(),
               experiment.data.test.list.string(), to_table(report));
  }
  return kExitDone;
}

}  // namespace

void add_few_shot_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand("few-shot", "fine-tune on K clips a class, for several K and seeds");
  options->common.add_to(*command, options->runs);
  command->footer(
      "Example:\n  actionclip few-shot --config configs/synthetic/few_shot.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --shots 1,2,4,8 --seeds 1,2,3 --output runs/demo/few_shot\n"
      "--output gets few_shot.json, the curve few_shot.svg, report.html, and a folder for each run. A clip "
      "that is in a "
      "test list too stops the command before anything is trained.\n"
      "SIGINT, SIGTERM and SIGUSR1 stop it (exit code 75); the same command goes on from there.");
  command->callback([options, &exit_code] { exit_code = few_shot_command(*options); });
}

}  // namespace actionclip
