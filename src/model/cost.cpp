#include "actionclip/model/cost.h"

#include <algorithm>
#include <limits>

namespace actionclip {
namespace {

constexpr double kFloat = 4;  // bytes
constexpr double kLabelId = 8;

// One of the three stacks of residual attention blocks, on sequences of `length` positions.
struct Stack {
  double width = 0, layers = 0, heads = 0, length = 0;
  bool one_position = false;  // the last block is computed for one position of a sequence
};

double patches_of(const VisionTransformerConfig& vision) {
  const std::int64_t grid = vision.image_size / vision.patch_size;
  return static_cast<double>(grid * grid);
}

// Values of one image, and of one patch.
double image_values(const VisionTransformerConfig& vision) {
  return 3 * static_cast<double>(vision.image_size) * static_cast<double>(vision.image_size);
}

double patch_values(const VisionTransformerConfig& vision) {
  return 3 * static_cast<double>(vision.patch_size) * static_cast<double>(vision.patch_size);
}

Stack image_stack(const ActionClipConfig& sizes) {
  return {.width = static_cast<double>(sizes.vision.width),
          .layers = static_cast<double>(sizes.vision.layers),
          .heads = static_cast<double>(sizes.vision.heads),
          .length = patches_of(sizes.vision) + 1,
          .one_position = true};
}

Stack text_stack(const ActionClipConfig& sizes, std::int64_t length) {
  return {.width = static_cast<double>(sizes.text.width),
          .layers = static_cast<double>(sizes.text.layers),
          .heads = static_cast<double>(sizes.text.heads),
          .length = static_cast<double>(length),
          .one_position = true};
}

// No layers where nothing is fused by a transformer.
Stack fusion_stack(const ActionClipConfig& sizes, const StepSettings& step) {
  const bool used = step.fused && sizes.fusion.type == FusionType::Transf;
  return {.width = static_cast<double>(sizes.fusion.width),
          .layers = used ? static_cast<double>(sizes.fusion.layers) : 0,
          .heads = static_cast<double>(sizes.fusion.heads),
          .length = static_cast<double>(step.frames)};
}

// Blocks that are computed for every position.
double whole_blocks(const Stack& stack) {
  return stack.one_position ? std::max(0.0, stack.layers - 1) : stack.layers;
}

bool has_short_block(const Stack& stack) { return stack.one_position && stack.layers > 0; }

// Weights and biases of a block's four linear layers: 3 w^2 + w^2 of attention, 4 w^2 + 4 w^2 of the
// perceptron.
std::int64_t linear_parameters(std::int64_t width) { return 12 * width * width + 9 * width; }

std::int64_t block_parameters(std::int64_t width) {
  const std::int64_t layer_norms = 4 * width;
  return linear_parameters(width) + layer_norms;
}

// Of all blocks for one sequence: linear layers 12 w^2 multiply-adds a position, attention's two products
// L^2 w each.
double block_flops(const Stack& stack) {
  const double w = stack.width, L = stack.length;
  const double whole = 24 * L * w * w + 4 * L * L * w;
  // Keys and values of all positions; query, output projection and perceptron of one.
  const double short_block = 4 * L * w * w + 20 * w * w + 4 * L * w;
  return whole_blocks(stack) * whole + (has_short_block(stack) ? short_block : 0);
}

// Before and behind the blocks: patch embedding and projection.
double image_ends_flops(const VisionTransformerConfig& vision) {
  const auto w = static_cast<double>(vision.width);
  return 2 * patches_of(vision) * patch_values(vision) * w + 2 * w * static_cast<double>(vision.output_dim);
}

double text_ends_flops(const TextTransformerConfig& text) {
  return 2 * static_cast<double>(text.width) * static_cast<double>(text.output_dim);
}

PerPart<double> blocks_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  return {.image = static_cast<double>(step.frames) * block_flops(image_stack(sizes)),
          .text = block_flops(text_stack(sizes, step.text_length)),
          .fusion = block_flops(fusion_stack(sizes, step))};
}

double training_flops_of(double forward, double blocks, bool trained, bool checkpointing) {
  if (!trained) return forward;
  return 3 * forward + (checkpointing ? blocks : 0);
}

// Bytes of what a part's forward pass leaves for its backward pass, and of what the widest operation of
// either needs beside that.
struct Activations {
  double kept = 0;
  double working = 0;
};

// What autograd keeps of a block for one sequence, in units of values that stay fp32 and values in the type
// that is computed in. A residual addition keeps nothing.
double kept_of_whole_block(const Stack& stack, double type) {
  const double values = stack.length * stack.width;
  const double residuals = 2 * values * kFloat;  // the inputs of ln_1 and ln_2
  const double linear_inputs =
      (1 + 1 + 1) * values * type;  // of in_proj, out_proj (attention's output), c_fc
  const double query_key_value = 3 * values * type;
  const double perceptron = (4 + 4) * values * type;  // QuickGELU's input; its output, c_proj's input
  const double statistics = (4 + stack.heads) * stack.length * kFloat;  // of layer norms; log-sum-exp
  return residuals + linear_inputs + query_key_value + perceptron + statistics;
}

double kept_of_short_block(const Stack& stack, double type) {
  const double values = stack.length * stack.width, row = stack.width;
  const double everywhere = values * kFloat + 3 * values * type;  // ln_1's input; its output, keys, values
  const double perceptron = 8 * row * type;
  const double attention = 3 * row * type;        // the query's input, the query, the output
  const double rest = row * kFloat + row * type;  // ln_2's input and output
  return everywhere + perceptron + attention + rest;
}

// QuickGELU's backward pass holds its incoming gradient, the gate and the slope beside the gradient of the
// residual stream, when c_proj's input is gone already.
double backward_working(const Stack& stack, double type) {
  const double values = stack.length * stack.width;
  return values * kFloat + (3 * 4 - 4) * values * type;
}

// A forward pass that keeps nothing holds, in QuickGELU, three tensors of the perceptron's width beside the
// block's input and both operands of the layer norm.
double forward_working(const Stack& stack, double type) {
  const double values = stack.length * stack.width;
  return 3 * values * kFloat + 3 * 4 * values * type;
}

// Of the blocks for `sequences` sequences. The residual stream is fp32 in any precision: embeddings and
// positions are.
Activations block_activations(const Stack& stack, double sequences, const StepSettings& step, bool trained,
                              double type) {
  if (stack.layers == 0) return {};
  if (!trained) return {.working = sequences * forward_working(stack, type)};
  const double whole = kept_of_whole_block(stack, type), backward = backward_working(stack, type);
  if (!step.activation_checkpointing) {
    // The last block's are gone when the widest block before it runs backward.
    const double last = has_short_block(stack) ? kept_of_short_block(stack, type) : 0;
    return {.kept = sequences * (whole_blocks(stack) * whole + last),
            .working = sequences * std::max(0.0, backward - last)};
  }
  const double input = stack.length * stack.width * kFloat;
  return {.kept = sequences * stack.layers * input, .working = sequences * (whole - input + backward)};
}

Activations image_activations(const ActionClipConfig& sizes, const StepSettings& step, double images,
                              double type) {
  const auto stack = image_stack(sizes);
  auto activations = block_activations(stack, images, step, step.trained.image, type);
  const double embedded = stack.length * stack.width;
  // While the blocks run forward, the pixels and the embedded patches are alive, and ln_pre's input.
  const double forward = images * (image_values(sizes.vision) * kFloat + embedded * type);
  const double ln_pre = images * embedded * kFloat;
  if (!step.trained.image) {
    activations.working += forward + ln_pre;
    return activations;
  }
  const double patches = images * image_values(sizes.vision) * type;  // conv1's input
  const double ends = images * stack.width * (kFloat + type);         // inputs of ln_post and proj
  activations.kept += patches + ln_pre + ends;
  activations.working = std::max(activations.working, forward);
  return activations;
}

// The similarities, their log-softmax in both directions and the targets; gathered features of both sides.
double loss_activations(const ActionClipConfig& sizes, const StepSettings& step) {
  const double columns = static_cast<double>(step.batch_size) / static_cast<double>(step.accumulate_steps);
  const double rows = columns / static_cast<double>(step.ranks);
  return (5 * rows * columns + 2 * columns * static_cast<double>(sizes.vision.output_dim)) * kFloat;
}

// Bytes of the copies in low precision of the weights of linear layers that learn, with `layers` blocks of
// each part at most. A frozen part's copies go at once.
double low_precision_copies(const ActionClipConfig& sizes, const StepSettings& step, double layers) {
  if (step.precision == Precision::fp32) return 0;
  constexpr double kHalf = 2;
  const auto blocks = [&](const Stack& stack) {
    const auto width = static_cast<std::int64_t>(stack.width);
    return std::min(stack.layers, layers) * static_cast<double>(linear_parameters(width));
  };
  const auto projection = [&](std::int64_t width) {
    return static_cast<double>(width) * static_cast<double>(sizes.vision.output_dim);
  };
  double values = 0;
  if (step.trained.image) {
    values += blocks(image_stack(sizes)) + projection(sizes.vision.width) +
              static_cast<double>(sizes.vision.width) * patch_values(sizes.vision);
  }
  if (step.trained.text) values += blocks(text_stack(sizes, step.text_length)) + projection(sizes.text.width);
  if (step.trained.fusion) values += blocks(fusion_stack(sizes, step));
  return values * kHalf;
}

// Bytes that a rank sends while `bytes` that lie spread over all ranks become known to all of them, or the
// other way round.
double ring(double bytes, const StepSettings& step) {
  const auto ranks = static_cast<double>(step.ranks);
  return bytes * (ranks - 1) / ranks;
}

}  // namespace

PerPart<std::int64_t> count_parameters(const ActionClipConfig& sizes) {
  const auto& vision = sizes.vision;
  const auto& text = sizes.text;
  const auto& fusion = sizes.fusion;
  const std::int64_t grid = vision.image_size / vision.patch_size;
  PerPart<std::int64_t> count;
  count.image = 3 * vision.patch_size * vision.patch_size * vision.width  // conv1
                + (1 + grid * grid + 1) * vision.width                    // class_embedding, positions
                + 4 * vision.width                                        // ln_pre, ln_post
                + vision.layers * block_parameters(vision.width) + vision.width * vision.output_dim;
  count.text = (text.vocabulary_size + text.context_length) * text.width + 2 * text.width  // ln_final
               + text.layers * block_parameters(text.width) + text.width * text.output_dim +
               1;  // logit_scale
  if (fusion.type == FusionType::Transf)
    count.fusion = kFusionPositions * fusion.width + fusion.layers * block_parameters(fusion.width);
  return count;
}

PerPart<std::int64_t> count_trained(const ActionClipConfig& sizes, const TrainedParts& trained) {
  const auto all = count_parameters(sizes);
  const std::int64_t logit_scale = trained.logit_scale ? 1 : 0;
  return {.image = trained.image ? all.image : 0,
          .text = (trained.text ? all.text - 1 : 0) + logit_scale,
          .fusion = trained.fusion ? all.fusion : 0};
}

PerPart<double> forward_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  auto flops = blocks_flops(sizes, step);
  flops.image += static_cast<double>(step.frames) * image_ends_flops(sizes.vision);
  flops.text += text_ends_flops(sizes.text);
  return flops;
}

PerPart<double> training_flops(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto forward = forward_flops(sizes, step), blocks = blocks_flops(sizes, step);
  const auto pairs = static_cast<double>(step.pairs_of_rank());
  const auto of = [&](double part, double its_blocks, bool trained) {
    return pairs * training_flops_of(part, its_blocks, trained, step.activation_checkpointing);
  };
  return {.image = of(forward.image, blocks.image, step.trained.image),
          .text = of(forward.text, blocks.text, step.trained.text),
          .fusion = of(forward.fusion, blocks.fusion, step.trained.fusion)};
}

StepMemory step_memory(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto parameters = static_cast<double>(count_parameters(sizes).total());
  const auto trained = static_cast<double>(count_trained(sizes, step.trained).total());
  const double type = step.precision == Precision::fp32 ? kFloat : 2;
  const double pairs = static_cast<double>(step.pairs_of_rank()) / static_cast<double>(step.accumulate_steps);
  const auto image = image_activations(sizes, step, pairs * static_cast<double>(step.frames), type);
  const auto fusion = block_activations(fusion_stack(sizes, step), pairs, step, step.trained.fusion, type);
  const auto text =
      block_activations(text_stack(sizes, step.text_length), pairs, step, step.trained.text, type);
  // The text is encoded last, so its backward pass runs first, and ends with a gradient of the whole
  // vocabulary.
  const double vocabulary = step.trained.text ? static_cast<double>(sizes.text.vocabulary_size) *
                                                    static_cast<double>(sizes.text.width) * kFloat
                                              : 0;
  const double video = image.kept + fusion.kept;
  const double peak = std::max({video + text.kept + text.working, video + vocabulary, video + fusion.working,
                                image.kept + image.working});
  // Autocast copies every weight for the forward pass; a checkpointed block lets go of them until it runs
  // again.
  const double all_copies = low_precision_copies(sizes, step, std::numeric_limits<double>::infinity());
  StepMemory memory;
  memory.weights = kFloat * parameters;
  memory.low_precision =
      step.activation_checkpointing ? low_precision_copies(sizes, step, /*layers=*/1) : all_copies;
  memory.gradients = kFloat * trained;
  memory.optimizer = kFloat * static_cast<double>(step.optimizer_slots) * trained;
  memory.kept_activations = video + text.kept + loss_activations(sizes, step);
  memory.working_memory = std::max(peak - video - text.kept, all_copies - memory.low_precision);
  return memory;
}

StepTraffic step_traffic(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto batch = static_cast<double>(step.batch_size);
  const double features = batch * static_cast<double>(sizes.vision.output_dim) * kFloat;  // of one side
  const bool video_learns = step.trained.image || (step.trained.fusion && step.fused);
  const int gathers = 2, scatters = (video_learns ? 1 : 0) + (step.trained.text ? 1 : 0);
  StepTraffic traffic;
  traffic.gradients =
      2 * ring(kFloat * static_cast<double>(count_trained(sizes, step.trained).total()), step);
  traffic.features = (gathers + scatters) * ring(features, step);
  traffic.label_ids = ring(batch * kLabelId, step);
  return traffic;
}

}  // namespace actionclip
