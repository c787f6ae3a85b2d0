#include "tools/dry_run.h"

#include <string>
#include <utility>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/exit_code.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/rehearsal.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/step_settings.h"

namespace actionclip {
namespace {

int take_step(Trainer& trainer) {
  const StepReport report = trainer.dry_step();
  spdlog::info("dry run: loss {:.4f}, gradient norm {:.3g}", report.loss, report.grad_norm);
  if (!report.finite) throw Error("dry run: the loss or the gradients are not finite");
  return kExitDone;
}

// What the experiment as it is written would train and take, with the sizes of vocabulary and labels as
// found.
void log_experiment(Experiment experiment, const TrainingInputs& inputs, std::int64_t ranks) {
  settle_text(experiment.model, *inputs.tokenizer);
  const std::int64_t labels = inputs.labels ? inputs.labels->size() : 0;
  experiment.model.labels = labels;
  const auto sizes = resolve(experiment.model);
  const auto step = step_settings(experiment, sizes, ranks, usual_text_length(sizes), labels);
  constexpr double kMillion = 1e6, kGiB = 1 << 30;
  spdlog::info("dry run: {}, {} frame(s), {}, {}; {:.1f} M parameters, {:.1f} M of them learn",
               experiment.model.arch, step.frames,
               boost::describe::enum_to_string(experiment.model.fusion, ""),
               boost::describe::enum_to_string(experiment.train.task, ""),
               static_cast<double>(count_parameters(sizes).total()) / kMillion,
               static_cast<double>(count_trained(sizes, step.trained).total()) / kMillion);
  spdlog::info(
      "dry run: a step of batch {} in {} part(s), {}, takes {:.1f} GiB in tensors on each of {} rank(s) "
      "(computed, see inspect model)",
      step.batch_size, step.accumulate_steps, boost::describe::enum_to_string(step.precision, ""),
      step_memory(sizes, step).total() / kGiB, ranks);
}

void log_length(const Experiment& experiment, const std::optional<std::int64_t>& videos) {
  if (!videos) {
    spdlog::info("dry run: {} epochs; steps an epoch are known once the list is there",
                 experiment.train.epochs);
    return;
  }
  const std::int64_t steps = steps_per_epoch(experiment, *videos);
  spdlog::info("dry run: {} videos, {} steps an epoch, {} epochs", *videos, steps, experiment.train.epochs);
}

}  // namespace

int dry_run(const std::shared_ptr<ProcessGroup>& group, const Experiment& experiment,
            const TrainerOptions& options) {
  if (options.resume) {
    Trainer trainer(experiment, options, group);
    spdlog::info("dry run: {} steps an epoch, {} in all; one step follows, nothing is written",
                 trainer.steps_per_epoch(), trainer.total_steps());
    return take_step(trainer);
  }
  // A GPU takes the whole step: whether it fits is what one wants to know there.
  auto rehearsal = rehearse(experiment, group->world_size(), /*reduce=*/options.device.is_cpu());
  log_experiment(experiment, rehearsal.inputs, group->world_size());
  log_length(experiment, rehearsal.videos);
  for (const auto& line : rehearsal.stand_ins) spdlog::info("dry run: {}", line);
  for (const auto& line : rehearsal.reductions) spdlog::info("dry run: the step is smaller: {}", line);
  Trainer trainer(std::move(rehearsal.experiment), options, group, std::move(rehearsal.inputs));
  spdlog::info("dry run: one step follows, nothing is written");
  return take_step(trainer);
}

}  // namespace actionclip
