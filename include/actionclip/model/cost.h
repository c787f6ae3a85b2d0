// What a training step costs, computed from the sizes of the model: parameters, floating-point operations,
// memory, communication. Nothing is measured. Counts that may pass 2^63 are doubles.
#pragma once

#include <cstdint>

#include "actionclip/model/config.h"

namespace actionclip {

template <typename T>
struct PerPart {
  T image{}, text{}, fusion{}, context{}, classifier{};

  T total() const { return image + text + fusion + context + classifier; }
};

// Of a model of these sizes; logit_scale counts as text.
PerPart<std::int64_t> count_parameters(const ActionClipConfig& sizes);

// A step of `ranks` ranks together.
struct StepSettings {
  std::int64_t batch_size = 256;      // pairs of a video and its text, over all ranks and accumulation steps
  std::int64_t accumulate_steps = 1;  // contrastive batches that the step is split into
  std::int64_t ranks = 1;             // batch_size is a multiple of accumulate_steps * ranks
  std::int64_t frames = 8;            // T
  std::int64_t text_length = 16;      // tokens of the longest text of a batch, start and end included
  // C where a video is told from all classes by their texts, 0: the contrastive batch, of one text a video.
  // Each rank encodes the texts of all classes in each accumulation step; where nothing of them learns, once
  // a run for each template, which counts nothing here.
  std::int64_t class_texts = 0;
  bool fused = true;  // false: the features of frames are compared, as in pre-training
  TrainedParts trained;
  Precision precision = Precision::fp32;
  bool activation_checkpointing = false;  // blocks keep their input alone and run again in the backward pass
  std::int64_t optimizer_slots = 2;       // numbers that the optimiser keeps of each parameter: 2 of Adam
  bool averaged = false;                  // a running average of the weights is kept

  std::int64_t pairs_of_rank() const { return batch_size / ranks; }  // in the whole step
};

// Parameters that learn, of each part.
PerPart<std::int64_t> count_trained(const ActionClipConfig& sizes, const TrainedParts& trained);

// Of the matrix products, convolutions and attention, 2 operations a multiply-add: image, fusion and
// classifier for one video of `frames` frames, text for one text. Both transformers compute their last block
// for the one position that is used only, keys and values apart. A text costs what the longest of its batch
// does, and causal attention what full attention does. Layer and batch normalisation, activations, learned
// context and the temporal shift count nothing.
PerPart<double> forward_flops(const ActionClipConfig& sizes, const StepSettings& step);

// Of a step on one rank, without loss and optimiser. The backward pass of what learns costs twice its forward
// pass, but the gradient of a product's input is left out where nothing learns that it would reach (the
// pixels'). What is frozen costs once its forward pass more where a gradient passes through it, to learned
// context or from a frozen head, and else nothing. With activation_checkpointing the blocks that gradients
// reach run forward once more. With a classifier no text is encoded, nor are frozen texts of all classes.
PerPart<double> training_flops(const ActionClipConfig& sizes, const StepSettings& step);

// Bytes of the tensors on one rank when most are alive. What an allocator, libraries and their workspaces
// take comes on top.
struct StepMemory {
  double weights = 0;           // fp32
  double low_precision = 0;     // copies of weights that the backward pass needs under autocast
  double gradients = 0;         // fp32
  double optimizer = 0;         // fp32
  double average = 0;           // fp32, of the weights that learn
  double kept_activations = 0;  // of one accumulation step, from the forward for the backward pass
  double working_memory = 0;    // what the widest operation of a pass needs beside them

  double total() const {
    return weights + low_precision + gradients + optimizer + average + kept_activations + working_memory;
  }
};

StepMemory step_memory(const ActionClipConfig& sizes, const StepSettings& step);

// Bytes that one rank sends in a step, by rings. Gathered features and label ids travel in each accumulation
// step, gradients of features back if these learn; gradients of parameters once a step.
struct StepTraffic {
  double gradients = 0;  // all-reduce
  double features = 0;   // all-gather forward, reduce-scatter backward
  double label_ids = 0;  // all-gather

  double total() const { return gradients + features + label_ids; }
};

StepTraffic step_traffic(const ActionClipConfig& sizes, const StepSettings& step);

}  // namespace actionclip
