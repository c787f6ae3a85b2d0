// The cost of what follows the image encoder: the fusion heads and the classifier.
#include "block.h"

namespace actionclip {
namespace {

double frame_values(const ActionClipConfig& sizes, const StepSettings& step) {
  return static_cast<double>(step.frames) * static_cast<double>(sizes.fusion.width);
}

// Positions, and whole blocks.
std::vector<Segment> transformer_head(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto& fusion = sizes.fusion;
  const Stack stack{.length = static_cast<double>(step.frames),
                    .width = static_cast<double>(fusion.width),
                    .heads = static_cast<double>(fusion.heads),
                    .mlp_width = static_cast<double>(mlp_width_of(0, fusion.width)),
                    .type = type_bytes(step)};
  Segment positions;
  positions.learns = step.trained.fusion;
  positions.parameters = fusion.positions * fusion.width;
  std::vector<Segment> segments = {positions};
  segments.insert(segments.end(), static_cast<std::size_t>(fusion.layers),
                  whole_block(stack, step.trained.fusion));
  return segments;
}

// A post-norm layer with dropout, whose attention is written out in fp32. Dropout keeps a mask of its input's
// type, as on the CPU; a GPU takes a byte a value.
Segment class_token_layer(const ActionClipConfig& sizes, const StepSettings& step) {
  const std::int64_t width = sizes.fusion.width, hidden = kClassTokenMlpWidth;
  const auto w = static_cast<double>(width), m = static_cast<double>(hidden), t = type_bytes(step);
  const double L = static_cast<double>(step.frames) + 1, heads = static_cast<double>(kClassTokenHeads);
  const std::int64_t linear_parameters = 4 * width * width + 4 * width + 2 * width * hidden + hidden + width;
  Segment layer;
  layer.learns = step.trained.fusion;
  layer.parameters = linear_parameters + 4 * width;
  layer.copied_weights = static_cast<double>(linear_parameters);
  layer.attention_flops = 4 * L * L * w;
  layer.flops = 2 * L * (4 * w * w + 2 * w * m) + layer.attention_flops;
  const double queries_keys_values = 3 * L * w * kFloatBytes;
  const double weights = 3 * heads * L * L * kFloatBytes;  // before and behind dropout, and its mask
  const double norms = 2 * L * w * kFloatBytes;            // their inputs
  const double masks = (2 * L * w + L * m) * t;
  const double relu = L * m * t;
  layer.kept_frozen = queries_keys_values + weights + norms + masks + relu;
  layer.kept = layer.kept_frozen + L * (3 * w + m) * t;  // what linear layers take
  layer.forward = 3 * L * w * kFloatBytes + 2 * L * m * t;
  layer.backward = 3 * L * w * kFloatBytes + L * m * t;  // ReLU's gradient; what linear2 took is gone
  return layer;
}

std::vector<Segment> class_token_head(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto& fusion = sizes.fusion;
  Segment ends;
  ends.learns = step.trained.fusion;
  ends.parameters = (1 + fusion.frames + 1 + 2) * fusion.width;  // class token, positions, the last norm
  std::vector<Segment> segments = {ends};
  segments.insert(segments.end(), static_cast<std::size_t>(fusion.layers), class_token_layer(sizes, step));
  return segments;
}

Segment convolution_head(const ActionClipConfig& sizes, const StepSettings& step) {
  constexpr std::int64_t kTaps = 3;
  const double values = frame_values(sizes, step), t = type_bytes(step);
  Segment segment;
  segment.learns = step.trained.fusion;
  segment.parameters = kTaps * sizes.fusion.width;
  segment.copied_weights = static_cast<double>(segment.parameters);
  segment.flops = 2 * static_cast<double>(kTaps) * values;
  segment.input_flops = segment.flops;
  segment.kept = values * t;
  segment.forward = segment.backward = 2 * values * t;
  return segment;
}

// In fp32 whatever the precision: no weights are copied.
Segment lstm_head(const ActionClipConfig& sizes, const StepSettings& step) {
  const std::int64_t width = sizes.fusion.width;
  const auto w = static_cast<double>(width);
  const double values = frame_values(sizes, step), products = 8 * values * w;
  Segment segment;
  segment.learns = step.trained.fusion;
  segment.parameters = 8 * width * width + 8 * width;
  segment.flops = 2 * products;
  segment.input_flops = products;      // the four gates of the frame features; the other half is of the state
  segment.constant_flops = 8 * w * w;  // of the state before the first frame, which is 0
  // Input and output, and 16 times as much that oneDNN's kernel keeps of gates and states.
  segment.kept = segment.kept_frozen = 18 * values * kFloatBytes;
  segment.forward = segment.kept;
  segment.backward = 8 * values * kFloatBytes;  // the gradients of these
  segment.backward_of_batch = 8 * w * w * kFloatBytes;
  return segment;
}

}  // namespace

CostPart fusion_cost(const ActionClipConfig& sizes, const StepSettings& step) {
  CostPart part;
  part.runs = step.fused;
  switch (sizes.fusion.type) {
    case FusionType::meanP:
      break;
    case FusionType::Conv_1D:
      part.segments = {convolution_head(sizes, step)};
      break;
    case FusionType::LSTM:
      part.segments = {lstm_head(sizes, step)};
      break;
    case FusionType::Transf:
      part.segments = transformer_head(sizes, step);
      break;
    case FusionType::Transf_cls:
      part.segments = class_token_head(sizes, step);
      break;
  }
  return part;
}

// In fp32 whatever the precision, as the loss is.
CostPart classifier_cost(const ActionClipConfig& sizes, const StepSettings& step) {
  CostPart part;
  part.runs = step.fused;
  if (sizes.classes == 0) return part;
  const auto width = static_cast<double>(sizes.vision.output_dim),
             classes = static_cast<double>(sizes.classes);
  Segment linear;
  linear.learns = step.trained.classifier;
  linear.parameters = sizes.classes * sizes.vision.output_dim + sizes.classes;
  linear.flops = 2 * width * classes;
  linear.input_flops = linear.flops;
  linear.kept_frozen = classes * kFloatBytes;  // log-softmax of the loss
  linear.kept = linear.kept_frozen + width * kFloatBytes;
  linear.backward = 2 * classes * kFloatBytes;
  part.segments.push_back(linear);
  return part;
}

}  // namespace actionclip
