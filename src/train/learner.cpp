#include "actionclip/train/learner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
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

bool any_learns(const std::vector<at::Tensor>& parameters) {
  return std::ranges::any_of(parameters, [](const at::Tensor& tensor) { return tensor.requires_grad(); });
}

// The modules of which nothing learns, without those within them.
void collect_frozen(const std::shared_ptr<torch::nn::Module>& module,
                    std::vector<std::shared_ptr<torch::nn::Module>>& frozen) {
  const auto parameters = module->parameters();
  if (!parameters.empty() && !any_learns(parameters)) {
    frozen.push_back(module);
    return;
  }
  for (const auto& child : module->children()) collect_frozen(child, frozen);
}

// Whether what a text is encoded to changes from step to step.
bool texts_learn(const ActionClip& model) {
  for (const auto& parameter : model->named_parameters()) {
    const auto part = part_of(parameter.key());
    const bool of_texts = part == ModelPart::context ||
                          (part == ModelPart::text && !parameter.value().is_same(model->logit_scale));
    if (of_texts && parameter.value().requires_grad()) return true;
  }
  return false;
}

// logit_scale by itself makes no difference to which text is a video's.
bool learn_more_than_scale(const std::vector<ParameterGroup>& groups) {
  return std::ranges::any_of(groups, [](const ParameterGroup& group) {
    return std::ranges::any_of(group.names, [](const std::string& name) { return name != "logit_scale"; });
  });
}

NamedTensors learning_parameters(const Optimizer& optimizer) {
  NamedTensors parameters;
  for (const auto& group : optimizer.groups()) {
    for (std::size_t i = 0; i < group.names.size(); ++i)
      parameters.emplace_back(group.names[i], group.parameters[i]);
  }
  return parameters;
}

// What learns, and the statistics that are gathered meanwhile; their counters stay the model's own.
NamedTensors averaged_tensors(const Optimizer& optimizer, const ActionClip& model) {
  auto tensors = learning_parameters(optimizer);
  for (const auto& buffer : model->named_buffers()) {
    if (buffer.value().is_floating_point()) tensors.emplace_back(buffer.key(), buffer.value());
  }
  return tensors;
}

}  // namespace

Learner::Learner(ActionClip model, const TrainConfig& config, bool fix_text, c10::Device device)
    : config_(config), device_(device), model_(std::move(model)) {
  [[maybe_unused]] const Autocast usable(device_.type(), config_.precision);
  model_->to(device_);
  set_activation_checkpointing(*model_, config_.activation_checkpointing);
  auto groups = trainable_groups(model_, config_, fix_text);
  if (!learn_more_than_scale(groups)) {
    throw Error(
        "nothing to train: both encoders are frozen, and the fusion head is too, or has no parameters "
        "(meanP); let an encoder learn (train.task: finetune, train.image_blocks), or the head "
        "(model.fusion: Transf, train.fix_fusion: false), or a context (model.context.length), or a linear "
        "probe (model.classifier: true)");
  }
  optimizer_ = make_optimizer(config_.optimizer, std::move(groups));
  collect_frozen(model_.ptr(), frozen_);
  texts_learn_ = texts_learn(model_);
  if (config_.ema_decay > 0) average_.emplace(config_.ema_decay, averaged_tensors(*optimizer_, model_));
  if (config_.precision == Precision::fp16) scaler_.emplace(device_);
  join(std::make_shared<SingleProcess>());
}

void Learner::join(std::shared_ptr<ProcessGroup> group) {
  reducer_.reset();  // it must not outlive its group
  group_ = std::move(group);
  {
    const at::NoGradGuard no_grad;
    group_->broadcast(model_->parameters());
    share_statistics();
    if (average_) group_->broadcast(average_->tensors());
  }
  std::vector<at::Tensor> learning;
  for (const auto& [name, parameter] : learning_parameters(*optimizer_)) learning.push_back(parameter);
  reducer_ = group_->make_reducer(learning);
}

// Rank 0's running statistics, where a module has such.
void Learner::share_statistics() {
  const at::NoGradGuard no_grad;
  const auto statistics = model_->buffers();
  if (!statistics.empty()) group_->broadcast(statistics);
}

StepReport Learner::step(double lr, const std::function<TrainBatch()>& next_batch) {
  StepReport report{.lr = lr};
  const double communication_before = group_->communication_seconds();
  double waited = 0;
  LoadSeconds load;
  model_->train();
  for (const auto& module : frozen_) module->eval();
  optimizer_->zero_grad();
  for (std::int64_t part = 1; part <= config_.accumulate_steps; ++part) {
    const auto batch = in_phase("data", next_batch);
    const auto loss = in_phase("forward", [&] { return loss_of(batch) / config_.accumulate_steps; });
    in_phase("backward", [&] {
      reducer_->backward(scaler_ ? scaler_->scale(loss) : loss, /*last=*/part == config_.accumulate_steps);
    });
    report.loss += loss.item<double>();
    waited += batch.waited;
    load += batch.load;
  }
  share(report, waited, load, communication_before);
  share_statistics();
  in_phase("optimizer", [&] { update(report); });
  return report;
}

// The loss of this rank's rows.
at::Tensor Learner::loss_of(const TrainBatch& batch) {
  at::manual_seed(batch.seed);
  const BatchLabels labels(batch.label_ids.to(device_),
                           batch.targets.defined() ? batch.targets.to(device_) : at::Tensor());
  const auto video = video_features(batch.clips);
  if (model_->config().classes > 0)
    return classification_loss(model_->classifier(video), labels, config_.label_smoothing);
  const auto text = text_features(batch);
  if (config_.objective == Objective::cross_entropy) {
    return classification_loss(class_logits(video, text, model_->logit_scale), labels,
                               config_.label_smoothing);
  }
  const bool stills = config_.task == TrainTask::pretrain;
  return contrastive_loss(video, text, model_->logit_scale, labels,
                          stills ? LossTarget::identity : config_.target, *group_);
}

at::Tensor Learner::video_features(const at::Tensor& clips) {
  const Autocast autocast(device_.type(), config_.precision);
  return config_.task == TrainTask::pretrain ? model_->encode_frames(clips).squeeze(1)
                                             : model_->encode_video(clips);
}

// Those of all classes, where nothing of them learns, are computed once for each template.
at::Tensor Learner::text_features(const TrainBatch& batch) {
  const bool of_classes = config_.objective == Objective::cross_entropy;
  const auto encode = [&] {
    const Autocast autocast(device_.type(), config_.precision);
    const auto ids = of_classes ? at::arange(batch.tokens.size(0), at::kLong) : batch.label_ids;
    return model_->encode_text({batch.tokens, batch.placeholders, ids});
  };
  if (!of_classes || texts_learn_) return encode();
  const auto known = class_features_.find(batch.template_index);
  if (known != class_features_.end()) return known->second;
  return class_features_.emplace(batch.template_index, encode()).first->second;
}

// What the ranks tell each other about a step, in one collective: the loss becomes that of all.
void Learner::share(StepReport& report, double waited, const LoadSeconds& load, double communication_before) {
  const std::array own = {report.loss, waited,      group_->communication_seconds() - communication_before,
                          load.read,   load.decode, load.transform};
  const std::int64_t ranks = group_->world_size();
  auto told = at::zeros({std::ssize(own), ranks}, at::kDouble);
  auto values = told.accessor<double, 2>();
  for (std::size_t i = 0; i < own.size(); ++i) values[static_cast<std::int64_t>(i)][group_->rank()] = own[i];
  group_->all_reduce_sum(told);
  report.loss = 0;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    report.loss += values[0][rank] / static_cast<double>(ranks);
    report.data_wait.push_back(values[1][rank]);
    report.communication.push_back(values[2][rank]);
    report.load += {.read = values[3][rank], .decode = values[4][rank], .transform = values[5][rank]};
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
    if (average_) average_->update();
  }
  if (scaler_) scaler_->update();
}

}  // namespace actionclip
