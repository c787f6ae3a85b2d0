// The training loop: pretrain, prompt and finetune (see TrainTask), with evaluation, checkpoints and logs in
// a run folder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <nlohmann/json.hpp>

#include "actionclip/distributed/process_group.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/text/labels.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/train/bottleneck.h"
#include "actionclip/train/experiment.h"
#include "actionclip/train/experiment_data.h"
#include "actionclip/train/learner.h"
#include "actionclip/train/metrics_log.h"
#include "actionclip/train/progress.h"
#include "actionclip/train/schedule.h"
#include "actionclip/train/training_inputs.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/loader.h"

namespace actionclip {

class StepClock;
struct EvaluationReport;

// A scoring of data.val in the course of a run.
struct Validation {
  const EvaluationReport& report;
  const VideoList& list;
  std::int64_t step = 0;
};

struct TrainerOptions {
  std::filesystem::path output;  // the run folder
  c10::Device device = c10::kCPU;
  std::optional<std::filesystem::path> resume;  // checkpoint folder to go on from
  bool keep_frame_counts = true;                // beside the lists, as ClipDatasetOptions has it
  std::int64_t profile_steps = 0;               // each rank writes a trace of so many (profile-rank-N.json)
  // Gets each validation that is the best so far, on rank 0.
  std::function<void(const Validation& validation)> on_best;
};

// How a run ended.
enum class TrainOutcome { finished, stopped_by_signal };

class Trainer {
 public:
  // Builds everything and reads the first files; throws Error before anything is written if something does
  // not fit. With more than one rank, each has its own trainer; rank 0's alone writes.
  Trainer(const Experiment& experiment, TrainerOptions options,
          std::shared_ptr<ProcessGroup> group = std::make_shared<SingleProcess>());

  // The same on inputs that are there already (rehearsal.h has made-up ones).
  Trainer(Experiment experiment, TrainerOptions options, std::shared_ptr<ProcessGroup> group,
          TrainingInputs inputs);

  // Trains to the end of the schedule, or until a signal; writes metrics, train.log and checkpoints into the
  // run folder.
  TrainOutcome run();

  // One optimiser step on the next `accumulate_steps` batches of the epoch under way.
  StepReport step();

  // One step on the first batches, for a look at whether everything fits; writes nothing.
  StepReport dry_step();

  std::int64_t steps_per_epoch() const;
  std::int64_t total_steps() const;
  std::int64_t best_step() const { return progress_.best_step; }  // of the best validation; -1: none
  ActionClip& model() { return learner_->model(); }

  // What the training clips are cut from, and how.
  const ClipDataset& train_data() const { return *train_data_; }

  // The running average of the weights, as what is evaluated has them; null without train.ema_decay.
  WeightAverage* average() { return learner_->average(); }

 private:
  void open_texts(TrainingInputs& inputs);
  void open_data(TrainingInputs inputs);
  void open_loader();
  void learn_with(ActionClip model);
  void resume(const std::filesystem::path& folder);
  void join();
  bool leads() const { return group_->rank() == 0; }

  TrainBatch next_batch();
  void mix_part(std::int64_t part, TrainBatch& batch) const;
  double learning_rate() const;
  void handle_nonfinite(const StepReport& report);

  TrainOutcome train();
  void log_start() const;
  void log_step(const StepReport& report, const StepClock& clock);
  void log_bottleneck();
  bool finish_epoch();
  bool evaluation_due() const;
  void evaluate();
  void save();
  nlohmann::json state() const;
  bool done() const;

  Experiment experiment_;
  TrainerOptions options_;
  std::shared_ptr<ProcessGroup> group_;
  std::optional<LabelSet> labels_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::optional<PromptGenerator> prompts_;
  std::optional<TextInput> class_texts_;  // [P, C, L] and, with a learned context, [C, M]: of all labels
  std::optional<Learner> learner_;
  std::unique_ptr<LearningRateSchedule> schedule_;
  std::unique_ptr<ClipDataset> train_data_;
  std::unique_ptr<ClipDataset> val_data_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<MetricsLog> metrics_;
  std::optional<Bottleneck> bottleneck_;
  int machine_ranks_ = 1;
  TrainProgress progress_;
  // What must not change between a run and its resumption: it decides which samples and texts come next.
  nlohmann::json identity_;
};

}  // namespace actionclip
