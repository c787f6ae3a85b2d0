#include "actionclip/model/cost.h"

#include "cost/segment.h"

namespace actionclip {
namespace {

constexpr double kLabelIdBytes = 8;

// function(part) of each part.
template <typename T, typename Function>
auto for_each_part(const PerPart<T>& parts, const Function& function) {
  return PerPart<decltype(function(parts.image))>{.image = function(parts.image),
                                                  .text = function(parts.text),
                                                  .fusion = function(parts.fusion),
                                                  .context = function(parts.context),
                                                  .classifier = function(parts.classifier)};
}

double part_flops(const CostPart& part) {
  double flops = 0;
  for (const auto& segment : part.segments) flops += segment.flops;
  return flops;
}

// The gradients of a product cost it once for each of its factors that needs one: weights that learn, and
// activations behind something that learns, in the segment itself too.
double step_flops(const Segment& segment, bool learns_before, bool checkpointing) {
  if (!segment.learns && !learns_before) return segment.flops;
  const double again = checkpointing && segment.is_block ? segment.flops : 0;
  const double of_weights = segment.flops - segment.attention_flops;
  const double of_activations = segment.flops + segment.attention_flops - segment.constant_flops -
                                (learns_before ? 0 : segment.input_flops);
  return segment.flops + again + of_activations + (segment.learns ? of_weights : 0);
}

// Of a part for one video or text. `learns_before`: whether something before the part learns, and then
// whether something up to its end does.
double step_flops(const CostPart& part, bool& learns_before, bool checkpointing) {
  if (!part.runs) return 0;
  double flops = 0;
  for (const auto& segment : part.segments) {
    flops += step_flops(segment, learns_before, checkpointing);
    learns_before = learns_before || segment.learns;
  }
  return flops;
}

// Whether gradients of the features of a side flow back.
bool learns(const CostPart& part) {
  if (!part.runs) return false;
  for (const auto& segment : part.segments) {
    if (segment.learns) return true;
  }
  return false;
}

// Bytes that a rank sends while `bytes` that lie spread over all ranks become known to all of them, or the
// other way round.
double ring(double bytes, const StepSettings& step) {
  const auto ranks = static_cast<double>(step.ranks);
  return bytes * (ranks - 1) / ranks;
}

}  // namespace

bool compares_texts(const ActionClipConfig& sizes, const StepSettings& step) {
  return sizes.classes == 0 || !step.fused;
}

bool encodes_texts(const ActionClipConfig& sizes, const StepSettings& step) {
  const bool learn = step.trained.text || (step.trained.context && sizes.context.length > 0);
  return compares_texts(sizes, step) && (learn || step.class_texts == 0);
}

double videos_at_once(const StepSettings& step) {
  return static_cast<double>(step.pairs_of_rank()) / static_cast<double>(step.accumulate_steps);
}

double texts_at_once(const StepSettings& step) {
  return step.class_texts > 0 ? static_cast<double>(step.class_texts) : videos_at_once(step);
}

PerPart<CostPart> part_costs(const ActionClipConfig& sizes, const StepSettings& step) {
  return {.image = image_cost(sizes, step),
          .text = text_cost(sizes, step),
          .fusion = fusion_cost(sizes, step),
          .context = context_cost(sizes, step),
          .classifier = classifier_cost(sizes, step)};
}

PerPart<std::int64_t> count_parameters(const ActionClipConfig& sizes) {
  auto count = for_each_part(part_costs(sizes, {}), [](const CostPart& part) {
    std::int64_t parameters = 0;
    for (const auto& segment : part.segments) parameters += segment.parameters;
    return parameters;
  });
  count.text += 1;  // logit_scale
  return count;
}

PerPart<std::int64_t> count_trained(const ActionClipConfig& sizes, const TrainedParts& trained) {
  auto count = for_each_part(part_costs(sizes, {.trained = trained}), [](const CostPart& part) {
    std::int64_t parameters = 0;
    for (const auto& segment : part.segments) parameters += segment.learns ? segment.parameters : 0;
    return parameters;
  });
  count.text += trained.logit_scale ? 1 : 0;
  return count;
}

PerPart<double> forward_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  auto parts = part_costs(sizes, step);
  auto flops = for_each_part(parts, part_flops);
  if (!parts.fusion.runs) flops.fusion = flops.classifier = 0;
  return flops;
}

PerPart<double> training_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto parts = part_costs(sizes, step);
  const auto steps = static_cast<double>(step.accumulate_steps);
  const double videos = videos_at_once(step) * steps, texts = texts_at_once(step) * steps;
  const bool checkpointing = step.activation_checkpointing;
  bool video_learns = false, text_learns = false;
  PerPart<double> flops;
  flops.image = videos * step_flops(parts.image, video_learns, checkpointing);
  flops.fusion = videos * step_flops(parts.fusion, video_learns, checkpointing);
  flops.classifier = videos * step_flops(parts.classifier, video_learns, checkpointing);
  flops.context = texts * step_flops(parts.context, text_learns, checkpointing);
  flops.text = texts * step_flops(parts.text, text_learns, checkpointing);
  return flops;
}

StepTraffic step_traffic(const ActionClipConfig& sizes, const StepSettings& step) {
  StepTraffic traffic;
  traffic.gradients =
      2 * ring(kFloatBytes * static_cast<double>(count_trained(sizes, step.trained).total()), step);
  // Compared with all classes, a rank's videos need nothing of the other ranks.
  if (!compares_texts(sizes, step) || step.class_texts > 0) return traffic;
  const auto batch = static_cast<double>(step.batch_size);
  const double features = batch * static_cast<double>(sizes.vision.output_dim) * kFloatBytes;  // of one side
  const auto parts = part_costs(sizes, step);
  const bool video_learns = learns(parts.image) || learns(parts.fusion);
  const bool text_learns = learns(parts.context) || learns(parts.text);
  const int gathers = 2, scatters = (video_learns ? 1 : 0) + (text_learns ? 1 : 0);
  traffic.features = (gathers + scatters) * ring(features, step);
  traffic.label_ids = ring(batch * kLabelIdBytes, step);
  return traffic;
}

}  // namespace actionclip
