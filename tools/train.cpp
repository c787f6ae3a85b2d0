// actionclip train: pre-train, learn prompts (fusion head), or fine-tune.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/distributed/join_ranks.h"
#include "actionclip/distributed/local_launcher.h"
#include "actionclip/protocols/report.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/run_folder.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/train/trainer.h"

#include "tools/best_validation.h"
#include "tools/command.h"
#include "tools/dry_run.h"
#include "tools/protocol_option.h"
#include "tools/results.h"

namespace actionclip {
namespace {

struct TrainOptions {
  ExperimentOptions experiment;
  std::string output;
  std::string resume;
  int ranks = 1;  // to start on this machine
  std::int64_t profile_steps = 0;
  bool dry_run = false;
};

// This program with its arguments, but for --nproc.
std::vector<std::string> command_of_a_rank() {
  std::vector<std::string> command = {std::filesystem::read_symlink("/proc/self/exe").string()};
  std::ifstream arguments("/proc/self/cmdline");
  std::string argument;
  std::getline(arguments, argument, '\0');  // the program's name
  while (std::getline(arguments, argument, '\0')) {
    if (argument == "--nproc") {
      std::getline(arguments, argument, '\0');
    } else if (!argument.starts_with("--nproc=")) {
      command.push_back(argument);
    }
  }
  return command;
}

// Of an experiment that goes on with a checkpoint, the weights that it began with are not read. A dry run of
// one that begins does without any file.
Experiment load_experiment_of(const TrainOptions& options,
                              const std::optional<std::filesystem::path>& resume) {
  UnreadPaths unread = {"data.test"};
  if (resume) unread.emplace_back("model.weights");
  if (options.dry_run && !resume) unread = {""};
  return options.experiment.load(unread);
}

// What would fail on every rank is told here once, before there are any.
void check_for_all_ranks(const TrainOptions& options) {
  const LaunchEnvironment last{.launcher = "--nproc",
                               .rank = options.ranks - 1,
                               .world_size = options.ranks,
                               .local_rank = options.ranks - 1};
  choose_device(options.experiment.device, last);
  load_experiment_of(options, find_resume_point(options.output, options.resume));
}

int start_ranks(const TrainOptions& options) {
  const auto environment = read_launch_environment();
  if (environment && environment->world_size > 1) {  // `srun -n 1` has set the variables of one process
    throw UsageError(
        "--nproc starts the ranks itself, but a launcher (torchrun, srun, mpirun) has started this process "
        "already: leave one of them out");
  }
  check_for_all_ranks(options);
  return run_local_ranks(command_of_a_rank(), options.ranks);
}

int train_on(const std::shared_ptr<ProcessGroup>& group, const Experiment& experiment,
             const TrainerOptions& options, bool dry) {
  if (dry) return dry_run(group, experiment, options);
  Trainer trainer(experiment, options, group);
  std::optional<FolderLock> lock;
  if (group->rank() == 0) {
    lock.emplace(open_run_folder(options.output, experiment, options.resume));
    if (options.resume) drop_validation_of_other_step(options.output, trainer.best_step());
    write_machine(options.output, "train", options.device, group->world_size());
  }
  const auto outcome = trainer.run();
  if (group->rank() == 0) write_report_or_warn(options.output);
  return outcome == TrainOutcome::finished ? kExitDone : kExitResumable;
}

int train(const TrainOptions& options) {
  const bool needs_folder = !options.dry_run || !options.resume.empty();
  if (needs_folder && options.output.empty()) throw CLI::RequiredError("--output");
  if (options.ranks > 1) return start_ranks(options);
  // Around the run's own: a signal while it starts is obeyed after its first step. Never destroyed: one that
  // comes while the process ends must not make a killed run of a finished one.
  [[maybe_unused]] static const auto* const stop = new StopSignal;
  const auto environment = enter_ranks();
  TrainerOptions trainer_options{.output = options.output,
                                 .device = choose_device(options.experiment.device, environment)};
  trainer_options.resume = find_resume_point(options.output, options.resume);
  trainer_options.keep_frame_counts = !options.dry_run;
  trainer_options.profile_steps = options.profile_steps;
  // libtorch's profiler else writes of its own doings to standard error, and an error where there is no GPU.
  if (options.profile_steps > 0) setenv("KINETO_LOG_LEVEL", "99", /*overwrite=*/0);
  const Experiment experiment = load_experiment_of(options, trainer_options.resume);
  const ProtocolCheck protocols({}, {experiment.data.val});  // one that there is not stops it now
  trainer_options.on_best = [&](const Validation& validation) {
    keep_validation(options.output, experiment, protocols, validation);
  };
  const auto group = join_ranks(environment, experiment.distributed, trainer_options.device);
  return run_on_ranks(*group, [&] { return train_on(group, experiment, trainer_options, options.dry_run); });
}

}  // namespace

void add_train_command(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<TrainOptions>();
  auto* command =
      program.add_subcommand("train", "train from a YAML file (train.task: pretrain, prompt or finetune)");
  options->experiment.add_to(*command);
  command->add_option("--output", options->output, "the run folder; needed but for --dry-run");
  // A flag, as an option would take the word behind it (an override) for its value.
  command->add_flag("--resume{newest}", options->resume,
                    "go on from the newest checkpoint of the run folder; --resume=auto: start fresh if there "
                    "is none; --resume=FOLDER: from that checkpoint");
  command
      ->add_option("--nproc", options->ranks,
                   "start so many ranks on this machine; for several machines use torchrun or srun")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_flag("--profile{5}", options->profile_steps,
                 "write a Chrome trace of 5 steps (--profile=N: of N), behind two that warm up, to "
                 "profile-rank-*.json in the run folder")
      ->check(CLI::Range(1, 1000));
  command->add_flag("--dry-run", options->dry_run,
                    "check everything, take one step, write nothing; what is not there is made up");
  command->footer(
      "Example:\n  actionclip train --config configs/kinetics400/vit_b16_8f.yaml --output runs/k400_b16 "
      "train.batch_size=64\n"
      "  actionclip train --config configs/kinetics400/vit_b16_8f.yaml --output runs/k400_b16 --resume\n"
      "SIGINT, SIGTERM and SIGUSR1 save at the end of the step; the exit code is then 75. SLURM's "
      "--signal=USR1@120\n"
      "sends SIGUSR1 two minutes ahead of the job's time limit.\n"
      "--dry-run logs model, parameters, computed memory and steps an epoch. In the place of weights, "
      "vocabulary, "
      "labels,\nlists and videos that are not there it takes random weights, bytes and made-up clips, and "
      "says "
      "so; without videos\na step on the CPU is then one of 2 videos a rank that fits a laptop (fewer "
      "frames, "
      "activation checkpointing,\nthe last blocks alone learn). With --resume everything has to be there.");
  command->callback([options, &exit_code] { exit_code = train(*options); });
}

}  // namespace actionclip
