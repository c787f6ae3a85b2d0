#include "resnet.h"

namespace actionclip {
namespace {

constexpr std::int64_t kExpansion = 4;  // of a bottleneck's planes
constexpr std::int64_t kTotalStride = 32;

double squared(std::int64_t side) { return static_cast<double>(side) * static_cast<double>(side); }

// A convolution without bias, and its batch normalisation.
struct Convolution {
  std::int64_t inputs, outputs, kernel, side;  // of the output

  std::int64_t weights() const { return inputs * outputs * kernel * kernel; }
  double values() const { return static_cast<double>(outputs) * squared(side); }
  double flops() const { return 2 * squared(side) * static_cast<double>(weights()); }
};

// `x`: bytes a value. Batch normalisation keeps its input.
void add(Segment& segment, const Convolution& layer, double x) {
  segment.parameters += layer.weights() + 2 * layer.outputs;
  segment.copied_weights += static_cast<double>(layer.weights());
  segment.flops += layer.flops();
  segment.kept += layer.values() * x;
}

// The ReLU behind it keeps its result, which is the next convolution's input.
void add_with_relu(Segment& segment, const Convolution& layer, double x) {
  add(segment, layer, x);
  segment.kept += layer.values() * x;
}

// Of one image.
Segment stem(const VisionConfig& vision, double x) {
  const std::int64_t side = vision.image_size / 2, width = vision.width;
  const Convolution first{3, width / 2, 3, side}, second{width / 2, width / 2, 3, side},
      third{width / 2, width, 3, side};
  Segment segment;
  for (const auto& layer : {first, second, third}) add_with_relu(segment, layer, x);
  segment.input_flops = first.flops();
  segment.kept += image_values(vision) * x;  // conv1's input
  segment.kept += third.values() / 4 * x;    // the pooled image
  // Widest at the third layer's batch normalisation: the pooled image's gradient is spread already.
  segment.backward = 2 * third.values() * x;
  segment.forward = second.values() * x + 2 * third.values() * x;
  return segment;
}

// Of one image, which comes in at `side` pixels.
Segment bottleneck(std::int64_t inputs, std::int64_t planes, std::int64_t side, std::int64_t stride,
                   double x) {
  const std::int64_t outputs = kExpansion * planes, side_out = side / stride;
  const Convolution first{inputs, planes, 1, side}, second{planes, planes, 3, side},
      third{planes, outputs, 1, side_out}, shortcut{inputs, outputs, 1, side_out};
  const bool has_shortcut = stride != 1 || inputs != outputs;
  const double input = static_cast<double>(inputs) * squared(side);
  Segment segment;
  add_with_relu(segment, first, x);
  add_with_relu(segment, second, x);
  if (stride != 1) segment.kept += second.values() / squared(stride) * x;  // pooled
  add_with_relu(segment, third, x);  // its ReLU is that of the sum with the shortcut
  segment.input_flops = first.flops();
  if (has_shortcut) {
    add(segment, shortcut, x);
    if (stride != 1) segment.kept += input / squared(stride) * x;  // pooled
    segment.input_flops += shortcut.flops();
  }
  segment.backward = 3 * third.values() * x;
  segment.forward = (input + 3 * third.values()) * x;
  return segment;
}

// The mean of all places attends to itself and to them.
Segment attention_pool(const VisionConfig& vision, double x) {
  const std::int64_t grid = vision.image_size / kTotalStride, width = vision.width * kResNetExpansion;
  const auto w = static_cast<double>(width), length = squared(grid) + 1;
  Segment segment;
  const std::int64_t projections =
      3 * (width * width + width) + width * vision.output_dim + vision.output_dim;
  segment.parameters = (grid * grid + 1) * width + projections;
  segment.copied_weights = static_cast<double>(projections);
  segment.attention_flops = 4 * length * w;
  segment.flops = 4 * length * w * w + 2 * w * w + segment.attention_flops +
                  2 * w * static_cast<double>(vision.output_dim);
  // Keys and values and what they are made of, of which autocast makes a copy for each.
  const double copies = x < kFloatBytes ? 2 : 1;
  segment.kept = (copies + 2) * length * w * x + 3 * w * x;
  segment.forward = 2 * length * w * (kFloatBytes + x);
  segment.backward = length * w * (kFloatBytes + 2 * x);
  segment.backward_of_batch = w * w * kFloatBytes;  // the gradient of a projection
  return segment;
}

void scale(Segment& segment, double images) {
  for (double* value : {&segment.flops, &segment.attention_flops, &segment.input_flops, &segment.kept,
                        &segment.forward, &segment.backward})
    *value *= images;
}

}  // namespace

CostPart resnet_cost(const VisionConfig& vision, const StepSettings& step) {
  const double x = type_bytes(step), images = static_cast<double>(step.frames);
  CostPart part;
  part.segments.push_back(stem(vision, x));
  std::int64_t inputs = vision.width, planes = vision.width, side = vision.image_size / 4;
  for (std::size_t stage = 0; stage < vision.stages.size(); ++stage, planes *= 2) {
    for (std::int64_t i = 0; i < vision.stages[stage]; ++i) {
      const std::int64_t stride = i == 0 && stage > 0 ? 2 : 1;
      part.segments.push_back(bottleneck(inputs, planes, side, stride, x));
      inputs = kExpansion * planes;
      side /= stride;
    }
  }
  part.segments.push_back(attention_pool(vision, x));

  const auto& trained = step.trained;
  const auto count = static_cast<std::int64_t>(part.segments.size());
  // The blocks, and the attention pool behind them; all, if no number is given.
  const std::int64_t learning = trained.image_blocks ? *trained.image_blocks + 1 : count;
  for (std::int64_t i = 0; i < count; ++i) {
    auto& segment = part.segments[static_cast<std::size_t>(i)];
    segment.learns = trained.image && i >= count - learning;
    scale(segment, images);
  }
  // The pixels, unless conv1 keeps these themselves.
  part.held = part.segments.front().learns ? 0 : images * image_values(vision) * x;
  return part;
}

}  // namespace actionclip
