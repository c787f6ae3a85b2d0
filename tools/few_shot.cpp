// actionclip few-shot: K clips a class, several seeds, a table.

#include "actionclip/protocols/few_shot.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/protocols/run_record.h"

#include "tools/command.h"
#include "tools/results.h"

namespace actionclip {
namespace {

struct Options {
  ExperimentOptions experiment;
  std::string weights;
  std::string output;
  FewShotOptions protocol;
  bool json = false;
};

// As they are given on the command line: "1,2,4".
std::string joined(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

// Twice the same would count one run as two.
void require_different(const char* option, const std::vector<std::int64_t>& numbers) {
  if (std::set(numbers.begin(), numbers.end()).size() != numbers.size())
    throw UsageError(fmt::format("{} {}: a number is given twice", option, joined(numbers)));
}

int few_shot_command(Options options) {
  require_different("--shots", options.protocol.shots);
  require_different("--seeds", options.protocol.seeds);
  override_weights(options.experiment, options.weights);
  const Experiment experiment = options.experiment.load({"data.val"});
  options.protocol.output = options.output;
  options.protocol.device = choose_device(options.experiment.device);
  std::vector<FewShotResult> results;
  if (run_few_shot(experiment, options.protocol, results) == TrainOutcome::stopped_by_signal) {
    spdlog::warn("few-shot: stopped by a signal: the same command goes on from here");
    return kExitResumable;
  }
  describe_results(options.output, "few-shot", kFewShotConfigName, experiment, options.protocol.device, 1);
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(results)));
  } else {
    fmt::print("few-shot on {} (test: {})\n{}", experiment.data.labels.string(),
               experiment.data.test.list.string(), to_table(results));
  }
  return kExitDone;
}

}  // namespace

void add_few_shot_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = program.add_subcommand("few-shot", "fine-tune on K clips a class, for several K and seeds");
  options->experiment.add_to(*command);
  command->add_option("--weights", options->weights, "where every run starts (instead of model.weights)");
  command
      ->add_option("--output", options->output,
                   "folder of the runs; those of the same settings, weights and lists in it are re-used, "
                   "others are put aside")
      ->required();
  command
      ->add_option("--shots", options->protocol.shots,
                   "numbers of clips a class, comma separated; 0: the weights as they are")
      ->delimiter(',')
      ->allow_extra_args(false)  // the word behind it is an override
      ->check(CLI::Range(0, 1000000))
      ->default_str(joined(options->protocol.shots));
  command->add_option("--seeds", options->protocol.seeds, "seeds, comma separated")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 1000000000))
      ->default_str(joined(options->protocol.seeds));
  command->add_flag("--json", options->json, "print a JSON array");
  command->footer(
      "Example:\n  actionclip few-shot --config configs/synthetic/few_shot.yaml --weights "
      "runs/demo/finetune/checkpoints/best \\\n"
      "      --shots 1,2,4,8 --seeds 1,2,3 --output runs/demo/few_shot\n"
      "SIGINT, SIGTERM and SIGUSR1 stop it (exit code 75); the same command goes on from there.");
  command->callback([options, &exit_code] { exit_code = few_shot_command(*options); });
}

}  // namespace actionclip
