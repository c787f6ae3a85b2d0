// actionclip train: pre-train, learn prompts (fusion head), or fine-tune.

#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/run_folder.h"
#include "actionclip/train/trainer.h"

#include "tools/command.h"

namespace actionclip {
namespace {

struct TrainOptions {
  ExperimentOptions experiment;
  std::string output;
  std::string resume;
  bool dry_run = false;
};

int train(const TrainOptions& options) {
  TrainerOptions trainer_options{.output = options.output,
                                 .device = choose_device(options.experiment.device)};
  trainer_options.resume = find_resume_point(options.output, options.resume);
  trainer_options.keep_frame_counts = !options.dry_run;
  UnreadPaths unread = {"data.test"};
  if (trainer_options.resume) unread.emplace_back("model.weights");
  const Experiment experiment = options.experiment.load(unread);
  Trainer trainer(experiment, trainer_options);
  if (options.dry_run) {
    spdlog::info("dry run: {} steps an epoch, {} in all; one step follows, nothing is written",
                 trainer.steps_per_epoch(), trainer.total_steps());
    const StepReport report = trainer.dry_step();
    spdlog::info("dry run: loss {:.4f}, gradient norm {:.3g}", report.loss, report.grad_norm);
    if (!report.finite) throw Error("dry run: the loss or the gradients are not finite");
    return kExitDone;
  }
  const auto lock = open_run_folder(options.output, experiment, trainer_options.resume);
  return trainer.run() == TrainOutcome::finished ? kExitDone : kExitResumable;
}

}  // namespace

void add_train_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<TrainOptions>();
  auto* command =
      program.add_subcommand("train", "train from a YAML file (train.task: pretrain, prompt or finetune)");
  options->experiment.add_to(*command);
  command->add_option("--output", options->output, "the run folder")->required();
  // A flag, as an option would take the word behind it (an override) for its value.
  command->add_flag("--resume{newest}", options->resume,
                    "go on from the newest checkpoint of the run folder; --resume=auto: start fresh if there "
                    "is none; --resume=FOLDER: from that checkpoint");
  command->add_flag("--dry-run", options->dry_run, "check everything, take one step, write nothing");
  command->footer(
      "Example:\n  actionclip train --config configs/kinetics400/vit_b16_8f.yaml --output runs/k400_b16 "
      "train.batch_size=64\n"
      "  actionclip train --config configs/kinetics400/vit_b16_8f.yaml --output runs/k400_b16 --resume\n"
      "SIGINT, SIGTERM and SIGUSR1 save at the end of the step; the exit code is then 75. SLURM's "
      "--signal=USR1@120\n"
      "sends SIGUSR1 two minutes ahead of the job's time limit.");
  command->callback([options, &exit_code] { exit_code = train(*options); });
}

}  // namespace actionclip
