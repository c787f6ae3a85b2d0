#include "actionclip/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/version.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/log.h"
#include "actionclip/core/progress.h"
#include "actionclip/distributed/agreement.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/eval/evaluator.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/mix.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/step_choices.h"
#include "actionclip/train/stop_signal.h"
#include "actionclip/video/flip_labels.h"

#include "batch_texts.h"
#include "checkpoint_manifest.h"
#include "step_clock.h"
#include "step_profiler.h"
#include "throughput.h"

namespace actionclip {
namespace {

constexpr std::int64_t kLogEvery = 100;  // steps; metrics.jsonl has them all

// "top-1 (%) 71.24, top-5 (%) 90.02".
std::string in_words(const EvaluationReport& report) {
  std::vector<std::string> figures;
  for (const auto& figure : report.figures)
    figures.push_back(fmt::format("{} {:.2f}", title_of(figure), figure.percent));
  return fmt::format("{}", fmt::join(figures, ", "));
}

}  // namespace

Trainer::Trainer(const Experiment& experiment, TrainerOptions options, std::shared_ptr<ProcessGroup> group)
    : Trainer(experiment, std::move(options), std::move(group), read_training_inputs(experiment)) {}

Trainer::Trainer(Experiment experiment, TrainerOptions options, std::shared_ptr<ProcessGroup> group,
                 TrainingInputs inputs)
    : experiment_(std::move(experiment)), options_(std::move(options)), group_(std::move(group)) {
  open_data(std::move(inputs));
  if (options_.resume) {
    resume(*options_.resume);
  } else {
    learn_with(
        start_model(experiment_, *tokenizer_, labels_ ? labels_->names() : std::vector<std::string>()));
  }
  join();
}

// The labels, and what is said of them; captions come with the samples.
void Trainer::open_texts(TrainingInputs& inputs) {
  tokenizer_ = std::move(inputs.tokenizer);
  settle_text(experiment_.model, *tokenizer_);
  if (experiment_.train.task == TrainTask::pretrain) return;
  labels_ = std::move(inputs.labels);
  experiment_.model.labels = labels_->size();
  prompts_.emplace(make_prompt_generator(experiment_.text, tokenizer_, *labels_, resolve(experiment_.model)));
  class_texts_ = text_input(*prompts_);
}

void Trainer::open_data(TrainingInputs inputs) {
  const auto& data = experiment_.data;
  const auto& train = experiment_.train;
  if (train.task == TrainTask::pretrain && !data.val.list.empty())
    spdlog::warn("data.val.list is not used: train.task: pretrain has no validation");
  open_texts(inputs);
  const auto model_config = resolve(experiment_.model);
  const auto options_of = [&](std::int64_t frames) {
    auto options =
        clip_options(experiment_, model_config.vision.image_size, frames, labels_ ? labels_->size() : 0);
    options.keep_frame_counts = options_.keep_frame_counts && leads();
    return options;
  };
  auto options = options_of(train.task == TrainTask::pretrain ? 1 : model_config.fusion.frames);
  if (const auto& flip_labels = data.transforms.flip_labels; labels_ && !flip_labels.empty())
    options.flip_labels = read_flip_labels(flip_labels.path, *labels_);
  train_data_ =
      std::make_unique<ClipDataset>(std::move(inputs.videos), std::move(options), inputs.fetch_frames);
  if (train.task == TrainTask::pretrain && !experiment_.text.truncate)
    require_captions_fit(train_data_->list(), *tokenizer_, model_config.text.context_length);
  identity_ = {{"seed", experiment_.seed},
               {"train.batch_size", train.batch_size},
               {"train.accumulate_steps", train.accumulate_steps},
               {"data.sampling.repeats", data.sampling.repeats},
               {"data.train (SHA-256 of the list)", train_data_->list().fingerprint()}};
  if (labels_ && !data.labels.empty()) identity_["data.labels (SHA-256)"] = sha256_of_file(data.labels.path);
  if (const auto& file = data.transforms.flip_labels; !file.empty())
    identity_["data.transforms.flip_labels (SHA-256)"] = sha256_of_file(file.path);
  if (labels_ && !data.val.list.empty() && experiment_.eval.every_epochs > 0) {
    val_data_ = std::make_unique<ClipDataset>(read_video_list(data.val, &*labels_),
                                              options_of(model_config.fusion.frames));
    check_label_columns(*labels_, experiment_.eval, val_data_->target_classes() > 0);
  }
  open_loader();
}

void Trainer::open_loader() {
  const auto& data = experiment_.data;
  const auto& train = experiment_.train;
  const auto part_size = train.batch_size / train.accumulate_steps;
  loader_ = std::make_unique<Loader>(*train_data_,
                                     LoaderOptions{.batch_size = part_size,
                                                   .workers = data.num_workers,
                                                   .prefetch = data.prefetch,
                                                   .seed = static_cast<std::uint64_t>(experiment_.seed),
                                                   .rank = group_->rank(),
                                                   .world_size = group_->world_size(),
                                                   .shuffle = true,
                                                   .drop_last = true,
                                                   .pin_memory = options_.device.is_cuda()});
  if (train.mix.enabled()) require_partners(part_size / group_->world_size(), data.sampling.repeats);
  if (steps_per_epoch() == 0) {
    throw Error(fmt::format("{}: {} samples do not fill one batch of {} (train.batch_size)",
                            data.train.list.string(), train_data_->size(), train.batch_size));
  }
}

void Trainer::learn_with(ActionClip model) {
  const auto& train = experiment_.train;
  train_data_->set_input(input_statistics(model->config()));
  learner_.emplace(std::move(model), train, experiment_.text.fix_text, options_.device);
  schedule_ = make_schedule(train.schedule, static_cast<double>(train.epochs));
}

// Makes sure that the ranks do the same work, and gives them the same parameters.
void Trainer::join() {
  group_->enter("start");
  machine_ranks_ = count_machine_ranks(*group_);
  std::string shapes;
  for (const auto& parameter : model()->named_parameters())
    shapes += fmt::format("{} {}\n", parameter.key(), shape_string(parameter.value().sizes().vec()));
  // Names the content of its files by their hashes. The optimiser's state is each rank's own.
  const auto checkpoint = options_.resume ? sha256_of_file(*options_.resume / kManifestName) : "";
  const std::string templates =
      prompts_ ? nlohmann::json::array({prompts_->templates(), prompts_->descriptions()}).dump() : "";
  require_agreement(*group_, {{"configuration", sha256_of(to_yaml(experiment_))},
                              {"training list, labels or batching", identity_.dump()},
                              {"validation list", val_data_ ? val_data_->list().fingerprint() : ""},
                              {"vocabulary", tokenizer_->fingerprint()},
                              {"set of templates or descriptions", sha256_of(templates)},
                              {"set of parameters", sha256_of(shapes)},
                              {"version of torch", TORCH_VERSION},
                              {"step to go on from", std::to_string(progress_.step)},
                              {"checkpoint to go on from", checkpoint}});
  learner_->join(group_);
}

std::int64_t Trainer::steps_per_epoch() const {
  return loader_->batches_per_epoch() / experiment_.train.accumulate_steps;
}

std::int64_t Trainer::total_steps() const {
  const auto& train = experiment_.train;
  const double epochs =
      train.schedule.stop_epoch > 0 ? train.schedule.stop_epoch : static_cast<double>(train.epochs);
  const auto steps = static_cast<std::int64_t>(std::llround(epochs * static_cast<double>(steps_per_epoch())));
  return train.max_steps > 0 ? std::min(steps, train.max_steps) : steps;
}

bool Trainer::done() const { return progress_.step >= total_steps(); }

TrainOutcome Trainer::run() {
  if (!leads()) return train();
  std::filesystem::create_directories(options_.output);
  LogFile log(options_.output / "train.log");
  try {
    const auto outcome = train();
    log_bottleneck();
    return outcome;
  } catch (const std::exception& problem) {
    log.write_error(problem.what());
    throw;
  }
}

TrainOutcome Trainer::train() {
  log_start();
  if (options_.resume)
    spdlog::info("resumed from {} (step {}, epoch {})", options_.resume->string(), progress_.step,
                 progress_.epoch);
  if (leads()) {
    if (options_.resume) abandon_checkpoints_after(options_.output, progress_.step, progress_.best_step);
    metrics_ = std::make_unique<MetricsLog>(options_.output, progress_.step, progress_.evaluated_epoch);
  }
  bottleneck_.emplace(run_setup(experiment_, machine_ranks_));
  const StopSignal stop;
  StepProfiler profiler(options_.profile_steps,
                        options_.output / fmt::format("profile-rank-{}.json", group_->rank()),
                        options_.device.is_cuda());
  ProgressBar bar(std::string(boost::describe::enum_to_string(experiment_.train.task, "train")),
                  total_steps(), "steps", progress_.step);
  std::int64_t saved_step = progress_.step;
  if (evaluation_due()) {  // the run that this one resumes ended before it was done
    save();                // that run may have another folder
    evaluate();
  }
  while (!done()) {
    loader_->start_epoch(progress_.epoch, progress_.batch);
    const std::int64_t epoch = progress_.epoch;
    while (progress_.epoch == epoch && !done()) {
      const StepClock clock;
      profiler.next_step();
      const StepReport report = step();
      log_step(report, clock);
      handle_nonfinite(report);
      bar.advance(1, fmt::format("epoch {}, loss {:.4f}", epoch + 1, report.loss));
      if (progress_.batch / experiment_.train.accumulate_steps == steps_per_epoch()) {
        if (finish_epoch()) saved_step = progress_.step;
      }
      if (sum_over_ranks(stop.requested() ? 1 : 0, *group_) > 0) {  // of any rank
        if (saved_step != progress_.step) save();
        profiler.finish();
        if (leads())
          spdlog::warn("stopped by a signal after step {}: --resume goes on from here", progress_.step);
        return TrainOutcome::stopped_by_signal;
      }
    }
  }
  if (saved_step != progress_.step) save();
  profiler.finish();  // behind the checkpoint, which is worth more if the disk is full
  return TrainOutcome::finished;
}

StepReport Trainer::step() {
  group_->enter(fmt::format("step {}", progress_.step + 1));
  const StepReport report = learner_->step(learning_rate(), [this] { return next_batch(); });
  ++progress_.step;
  return report;
}

StepReport Trainer::dry_step() {
  loader_->start_epoch(progress_.epoch, progress_.batch);
  return step();
}

TrainBatch Trainer::next_batch() {
  const double waited_before = loader_->seconds_waited();
  const auto batch = loader_->next();
  const auto seed = static_cast<std::uint64_t>(experiment_.seed);
  const std::int64_t parts = experiment_.train.accumulate_steps;
  const std::int64_t part = progress_.step * parts + progress_.batch % parts;
  TrainBatch result{.clips = batch->clips.squeeze(1),
                    .tokens = {},
                    .label_ids = batch->label_ids,
                    .targets = batch->targets,
                    .seed = choose_model_seed(seed, part, group_->rank()),
                    .waited = loader_->seconds_waited() - waited_before,
                    .load = batch->load};
  if (!experiment_.model.classifier) {
    const TextSources sources{.tokenizer = *tokenizer_,
                              .prompts = prompts_ ? &*prompts_ : nullptr,
                              .class_texts = class_texts_ ? &*class_texts_ : nullptr,
                              .context_length = learner_->model()->config().text.context_length};
    add_texts(sources, experiment_, progress_, *batch, result);
  }
  mix_part(part, result);
  ++progress_.batch;
  return result;
}

// On the device, where that is quick.
void Trainer::mix_part(std::int64_t part, TrainBatch& batch) const {
  const auto choice = choose_mix(experiment_.train.mix, batch.clips.size(-1), batch.clips.size(-2),
                                 static_cast<std::uint64_t>(experiment_.seed), part);
  if (!choice.mixes()) return;
  batch.clips = batch.clips.to(options_.device, /*non_blocking=*/true);
  mix(batch, choice, experiment_.data.sampling.repeats, labels_->size());
}

// Of the step at hand: the schedule at its fractional epoch.
double Trainer::learning_rate() const {
  return experiment_.train.lr *
         schedule_->factor(static_cast<double>(progress_.step) / static_cast<double>(steps_per_epoch()));
}

void Trainer::handle_nonfinite(const StepReport& report) {
  if (report.finite) {
    progress_.nonfinite_in_a_row = 0;
    return;
  }
  ++progress_.nonfinite_total;
  // fp16 overflows are expected while the scaler finds its scale; they count once the loss itself is lost, or
  // no scale is left to try.
  const auto& scaler = learner_->scaler();
  if (scaler && std::isfinite(report.loss) && !scaler->exhausted()) {
    spdlog::debug("step {}: the gradients overflow, the update is skipped; loss scale now {}", progress_.step,
                  scaler->current_scale());
    return;
  }
  ++progress_.nonfinite_in_a_row;
  spdlog::warn("step {}: loss {} or gradient norm {} is not finite: the update is skipped ({} in a row)",
               progress_.step, report.loss, report.grad_norm, progress_.nonfinite_in_a_row);
  if (progress_.nonfinite_in_a_row >= experiment_.train.max_nonfinite) {
    throw Error(fmt::format(
        "{} steps in a row were not finite (train.max_nonfinite): lower train.lr, set train.clip_grad_norm, "
        "or go on from an earlier checkpoint",
        progress_.nonfinite_in_a_row));
  }
}

void Trainer::log_step(const StepReport& report, const StepClock& clock) {
  if (!leads()) return;
  bottleneck_->add(step_times(report, clock.seconds(), clock.cpu_seconds()));
  const Throughput throughput(report, experiment_.train.batch_size, clock.seconds());
  nlohmann::ordered_json record = {
      {"split", "train"},
      {"step", progress_.step},
      {"epoch", static_cast<double>(progress_.step - 1) / static_cast<double>(steps_per_epoch())},
      {"loss", report.loss},
      {"lr", report.lr},
      {"grad_norm", report.grad_norm},
      {"logit_scale", std::exp(model()->logit_scale.item<double>())},
  };
  record.update(throughput.to_json());
  if (!report.finite) record["skipped"] = true;
  metrics_->write(progress_.step, record);
  if (progress_.step % kLogEvery != 0) return;
  spdlog::info("step {} of {}: loss {:.4f}, lr {:.3g}, {}", progress_.step, total_steps(), report.loss,
               report.lr, throughput.describe());
}

void Trainer::log_start() const {
  const auto& train = experiment_.train;
  spdlog::info("{}: {} samples, {} steps an epoch, {} in all; {} on {}, seed {}, torch {}",
               boost::describe::enum_to_string(train.task, "train"), train_data_->size(), steps_per_epoch(),
               total_steps(), boost::describe::enum_to_string(train.precision, ""), options_.device.str(),
               experiment_.seed, TORCH_VERSION);
}

// One sentence at the end, of a run that is long enough for it.
void Trainer::log_bottleneck() {
  const auto verdict = bottleneck_->verdict();
  if (!verdict) return;
  nlohmann::ordered_json record = {{"split", "summary"}, {"step", progress_.step}};
  record.update(verdict->to_json());
  metrics_->write(progress_.step, record);
  spdlog::info("{}", verdict->sentence);
}

// True if a checkpoint was written.
bool Trainer::finish_epoch() {
  ++progress_.epoch;
  progress_.batch = 0;
  const bool due = evaluation_due();
  if (!due && !done() && progress_.epoch % experiment_.train.checkpoint_every != 0) return false;
  save();  // before the evaluation, which is long and can fail
  if (due) evaluate();
  return true;
}

// Whether an epoch has just ended whose validation is to be done.
bool Trainer::evaluation_due() const {
  if (!val_data_ || progress_.batch != 0 || progress_.epoch <= progress_.evaluated_epoch) return false;
  return progress_.epoch % experiment_.eval.every_epochs == 0 || done();
}

// Scores the validation split, with the average of the weights where there is one, and adds to the step's
// checkpoint that it is done and which is the best so far.
void Trainer::evaluate() {
  const AveragedWeights averaged(average());
  Classifier classifier(model(), *class_texts_, experiment_.train.precision, experiment_.eval.ensemble);
  const auto report =
      actionclip::evaluate(classifier, *val_data_, *labels_, experiment_.eval, experiment_.data, group_);
  progress_.evaluated_epoch = progress_.epoch;
  const bool scored = report.samples() > std::ssize(report.failed);
  const bool best = scored && report.main_figure().percent > progress_.best_top1;
  if (best) {
    progress_.best_top1 = report.main_figure().percent;
    progress_.best_step = progress_.step;
  }
  if (!leads()) return;
  nlohmann::ordered_json record = {{"split", "val"}, {"step", progress_.step}, {"epoch", progress_.epoch}};
  record.update(to_json(report));
  metrics_->write(progress_.step, record);
  spdlog::info("epoch {}: val {}, loss {:.4f} ({} videos, {} failed)", progress_.epoch, in_words(report),
               report.loss, report.samples(), report.failed.size());
  save_state(options_.output, progress_.step, state());
  if (!best) return;
  if (options_.on_best) options_.on_best({report, val_data_->list(), progress_.step});
  mark_best(options_.output, progress_.step);
  prune_checkpoints(options_.output, experiment_.train.keep_checkpoints);  // the best until now
}

}  // namespace actionclip
