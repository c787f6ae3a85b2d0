// What the cost of a model is added up from: the stretches of the forward pass of its parts.
#pragma once

#include <cstdint>
#include <vector>

#include "actionclip/model/cost.h"

namespace actionclip {

constexpr double kFloatBytes = 4;

// Of the type that matrix products are computed in.
inline double type_bytes(const StepSettings& step) {
  return step.precision == Precision::fp32 ? kFloatBytes : 2;
}

// One stretch, such as a block of an encoder. Operations and bytes are those of one video (all of its frames)
// or of one text, unless it says otherwise; bytes are those of tensors.
struct Segment {
  std::int64_t parameters = 0;
  bool learns = false;
  double copied_weights = 0;  // values: weights of matrix products, of which autocast makes a copy

  double flops = 0;            // forward
  double attention_flops = 0;  // of these, those of products of two activations
  double input_flops = 0;      // of these, those whose gradient with respect to the segment's input is not
                               // needed where nothing learns before it
  double constant_flops = 0;   // of these, those of a constant, whose gradient is never needed

  // What autograd keeps for the backward pass: where the segment learns, and where it is frozen but a
  // gradient passes through it.
  double kept = 0;
  double kept_frozen = 0;
  bool is_block = false;  // with activation checkpointing, its input alone is kept
  double input = 0;       // bytes of the input

  // What a pass holds beside what is kept: forward where nothing is kept, backward where something is.
  double forward = 0;
  double backward = 0;
  double backward_of_batch = 0;  // of the whole batch at once: gradients of parameters
};

// A part of the model: segments in the order of the forward pass.
struct CostPart {
  std::vector<Segment> segments;
  bool runs = true;  // in a training step
  double held = 0;   // bytes that are alive while its forward pass runs, of one video or text
};

// Bottom up. `step.trained` says what learns.
CostPart image_cost(const ActionClipConfig& sizes, const StepSettings& step);
CostPart text_cost(const ActionClipConfig& sizes, const StepSettings& step);  // without logit_scale
CostPart fusion_cost(const ActionClipConfig& sizes, const StepSettings& step);
CostPart context_cost(const ActionClipConfig& sizes, const StepSettings& step);
CostPart classifier_cost(const ActionClipConfig& sizes, const StepSettings& step);

PerPart<CostPart> part_costs(const ActionClipConfig& sizes, const StepSettings& step);

// Videos are compared with texts in a training step unless a classifier takes their place.
bool compares_texts(const ActionClipConfig& sizes, const StepSettings& step);

// These are encoded in each step, unless they are those of all classes and nothing of them learns.
bool encodes_texts(const ActionClipConfig& sizes, const StepSettings& step);

// Of a rank in an accumulation step.
double videos_at_once(const StepSettings& step);
double texts_at_once(const StepSettings& step);

}  // namespace actionclip
