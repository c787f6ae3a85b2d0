// The cost of the two encoders, of which resnet.cpp has one kind, and of learned context.
#include <algorithm>

#include "block.h"
#include "resnet.h"

namespace actionclip {
namespace {

double patches_of(const VisionConfig& vision) {
  const std::int64_t grid = vision.image_size / vision.patch_size;
  return static_cast<double>(grid * grid);
}

double patch_values(const VisionConfig& vision) {
  return 3 * static_cast<double>(vision.patch_size) * static_cast<double>(vision.patch_size);
}

// A sequence a frame, or one of all frames' patches and one class token.
Stack image_stack(const VisionConfig& vision, const StepSettings& step) {
  const auto frames = static_cast<double>(step.frames);
  const bool joint = vision.joint_frames > 0;
  return {.sequences = joint ? 1 : frames,
          .length = (joint ? frames : 1) * patches_of(vision) + 1,
          .width = static_cast<double>(vision.width),
          .heads = static_cast<double>(vision.heads),
          .mlp_width = static_cast<double>(mlp_width_of(vision.mlp_width, vision.width)),
          .activation = vision.activation,
          .layer_scale = vision.layer_scale,
          .type = type_bytes(step)};
}

Stack text_stack(const TextTransformerConfig& text, const StepSettings& step) {
  return {.length = static_cast<double>(step.text_length),
          .width = static_cast<double>(text.width),
          .heads = static_cast<double>(text.heads),
          .mlp_width = static_cast<double>(mlp_width_of(text.mlp_width, text.width)),
          .activation = text.activation,
          .layer_scale = text.layer_scale,
          .type = type_bytes(step)};
}

// conv1, the embeddings and ln_pre.
Segment patch_embedding(const VisionConfig& vision, const StepSettings& step, bool learns) {
  const auto stack = image_stack(vision, step);
  const std::int64_t grid = vision.image_size / vision.patch_size;
  const double frames = static_cast<double>(step.frames), weights = patch_values(vision) * stack.width;
  const double embedded = stack.sequences * stack.length * stack.width;
  Segment segment;
  segment.learns = learns;
  segment.parameters = 3 * vision.patch_size * vision.patch_size * vision.width  // conv1
                       + (1 + grid * grid + 1) * vision.width                    // class_embedding, positions
                       + vision.joint_frames * vision.width                      // time_embedding
                       + 2 * vision.width;                                       // ln_pre
  segment.copied_weights = weights;
  segment.flops = 2 * frames * patches_of(vision) * weights;
  segment.input_flops = segment.flops;
  segment.kept = frames * image_values(vision) * stack.type  // conv1's input
                 + embedded * kFloatBytes;                   // ln_pre's
  segment.backward = 2 * embedded * kFloatBytes;             // gradients of ln_pre's output and input
  return segment;
}

// A layer norm and a projection, at one position of each sequence.
Segment projection(const Stack& stack, std::int64_t output_dim, bool learns) {
  const auto width = static_cast<std::int64_t>(stack.width);
  const auto weights = static_cast<double>(width * output_dim);
  Segment segment;
  segment.learns = learns;
  segment.parameters = 2 * width + width * output_dim;
  segment.copied_weights = weights;
  segment.flops = 2 * stack.sequences * weights;
  segment.kept_frozen = stack.sequences * stack.width * kFloatBytes;
  segment.kept = segment.kept_frozen + stack.sequences * stack.width * stack.type;
  return segment;
}

void append(std::vector<Segment>& segments, std::vector<Segment> more) {
  segments.insert(segments.end(), more.begin(), more.end());
}

}  // namespace

double image_values(const VisionConfig& vision) {
  return 3 * static_cast<double>(vision.image_size) * static_cast<double>(vision.image_size);
}

CostPart image_cost(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto& vision = sizes.vision;
  if (vision.is_resnet()) return resnet_cost(vision, step);
  const auto& trained = step.trained;
  const auto stack = image_stack(vision, step);
  const bool embedding_learns = trained.image && !trained.image_blocks;
  const std::int64_t learning = trained.image ? trained.image_blocks.value_or(vision.layers) : 0;
  CostPart part;
  part.segments.push_back(patch_embedding(vision, step, embedding_learns));
  append(part.segments, encoder_blocks(stack, vision.layers, learning));
  part.segments.push_back(projection(stack, vision.output_dim, trained.image));
  // The pixels, the embedded patches and, where it is not among what is kept, ln_pre's input.
  const double embedded = stack.sequences * stack.length * stack.width;
  part.held = (static_cast<double>(step.frames) * image_values(vision) + embedded) * stack.type +
              (embedding_learns ? 0 : embedded * kFloatBytes);
  return part;
}

CostPart text_cost(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto& text = sizes.text;
  const auto& trained = step.trained;
  const auto stack = text_stack(text, step);
  const std::int64_t learning = trained.text ? trained.text_blocks.value_or(text.layers) : 0;
  Segment embedding;
  embedding.learns = trained.text && !trained.text_blocks;
  embedding.parameters = (text.vocabulary_size + text.context_length) * text.width;
  // The gradient of the whole vocabulary.
  embedding.backward_of_batch =
      static_cast<double>(text.vocabulary_size) * static_cast<double>(text.width) * kFloatBytes;
  CostPart part;
  part.runs = encodes_texts(sizes, step);
  part.segments.push_back(embedding);
  append(part.segments, encoder_blocks(stack, text.layers, learning));
  part.segments.push_back(projection(stack, text.output_dim, trained.text));
  return part;
}

// Vectors that take the place of some token embeddings: nothing is computed or kept.
CostPart context_cost(const ActionClipConfig& sizes, const StepSettings& step) {
  CostPart part;
  part.runs = encodes_texts(sizes, step);
  if (sizes.context.length == 0) return part;
  Segment vectors;
  vectors.learns = step.trained.context;
  vectors.parameters =
      sizes.context.length * sizes.text.width * std::max<std::int64_t>(1, sizes.context.classes);
  part.segments.push_back(vectors);
  return part;
}

}  // namespace actionclip
