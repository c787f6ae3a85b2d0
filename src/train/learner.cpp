#include "actionclip/train/learner.h"

#include <cmath>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "actionclip/core/error.h"
#include "actionclip/model/autocast.h"
#include "actionclip/model/transformer.h"
#include "actionclip/train/gradients.h"
#include "actionclip/train/loss.h"
#include "actionclip/train/parameter_groups.h"

#include "step_phase.h"

namespace actionclip {
namespace {

const double kMaxLogitScale = std::log(100.0);

}  // namespace

Learner::Learner(ActionClip model, const TrainConfig& config, bool fix_text, c10::Device device)
    : config_(config), device_(device), model_(std::move(model)) {
  [[maybe_unused]] const Autocast usable(device_.type(), config_.precision);
  model_->to(device_);
  set_activation_checkpointing(*model_, config_.activation_checkpointing);
  auto groups = trainable_groups(model_, config_, fix_text);
  if (groups.empty()) {
    throw Error(
        "nothing to train: the fusion head meanP has no parameters for the prompt stage (use Transf)");
  }
  optimizer_ = make_optimizer(config_.optimizer, std::move(groups));
  if (config_.precision == Precision::fp16) scaler_.emplace(device_);
  join(std::make_shared<SingleProcess>());
}

void Learner::join(std::shared_ptr<ProcessGroup> group) {
  reducer_.reset();  // it must not outlive its group
  group_ = std::move(group);
  {
    const at::NoGradGuard no_grad;
    group_->broadcast(model_->parameters());
  }
  std::vector<at::Tensor> learning;
  for (const auto& part : optimizer_->groups())
    learning.insert(learning.end(), part.parameters.begin(), part.parameters.end());
  reducer_ = group_->make_reducer(learning);
}

StepReport Learner::step(double lr, const std::function<TrainBatch()>& next_batch) {
  StepReport report{.lr = lr};
  const double communication_before = group_->communication_seconds();
  double waited = 0;
  model_->train();
  optimizer_->zero_grad();
  for (std::int64_t part = 1; part <= config_.accumulate_steps; ++part) {
    const auto batch = in_phase("data", next_batch);
    const auto loss = in_phase("forward", [&] { return loss_of(batch) / config_.accumulate_steps; });
    in_phase("backward", [&] {
      reducer_->backward(scaler_ ? scaler_->scale(loss) : loss, /*last=*/part == config_.accumulate_steps);
    });
    report.loss += loss.item<double>();
    waited += batch.waited;
  }
  share(report, waited, communication_before);
  in_phase("optimizer", [&] { update(report); });
  return report;
}

// The contrastive loss of this rank's rows.
at::Tensor Learner::loss_of(const TrainBatch& batch) {
  const bool stills = config_.task == TrainTask::pretrain;
  at::Tensor video, text;
  {
    const Autocast autocast(device_.type(), config_.precision);
    video = stills ? model_->encode_frames(batch.clips).squeeze(1) : model_->encode_video(batch.clips);
    text = model_->encode_text(batch.tokens);
  }
  return contrastive_loss(video, text, model_->logit_scale, batch.label_ids.to(device_),
                          stills ? LossTarget::identity : config_.target, *group_);
}

// What the ranks tell each other about a step, in one collective: the loss becomes that of all.
void Learner::share(StepReport& report, double waited, double communication_before) {
  const auto ranks = group_->world_size();
  auto told = at::zeros({3, ranks}, at::kDouble);
  auto values = told.accessor<double, 2>();
  values[0][group_->rank()] = report.loss;
  values[1][group_->rank()] = waited;
  values[2][group_->rank()] = group_->communication_seconds() - communication_before;
  group_->all_reduce_sum(told);
  report.loss = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    report.loss += values[0][rank] / ranks;
    report.data_wait.push_back(values[1][rank]);
    report.communication.push_back(values[2][rank]);
  }
}

// Unscales, measures and clips the gradients, and steps unless something is not finite.
void Learner::update(StepReport& report) {
  const auto gradients = optimizer_->gradients();
  const bool unscaled = !scaler_ || scaler_->unscale(gradients);
  report.grad_norm = config_.clip_grad_norm > 0 ? clip_gradients(gradients, config_.clip_grad_norm)
                                                : gradient_norm(gradients);
  report.finite = std::isfinite(report.loss) && unscaled && std::isfinite(report.grad_norm);
  if (report.finite) {
    optimizer_->step(report.lr);
    const at::NoGradGuard no_grad;
    model_->logit_scale.clamp_(std::nullopt, kMaxLogitScale);
  }
  if (scaler_) scaler_->update();
}

}  // namespace actionclip
