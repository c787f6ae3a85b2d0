// The memory of a training step: a walk through its forward and backward pass.
#include <algorithm>
#include <vector>

#include "segment.h"

namespace actionclip {
namespace {

// Bytes alive at a point of the pass, and at most so far.
struct Level {
  double alive = 0, peak = 0;

  void need(double bytes) { peak = std::max(peak, alive + bytes); }
  void add(double bytes) {
    alive += bytes;
    need(0);
  }
};

// A segment that gradients reach, and what it leaves for the backward pass.
struct Visited {
  const Segment* segment;
  double items;       // videos or texts
  bool checkpointed;  // the input alone is kept, and the segment runs again
  double copies;      // bytes of its weights in low precision

  double kept_inside() const { return items * (segment->learns ? segment->kept : segment->kept_frozen); }
  double kept() const { return checkpointed ? items * segment->input : kept_inside(); }

  double backward() const {
    const double again = checkpointed ? kept_inside() - kept() + copies : 0;
    return again + items * segment->backward + (segment->learns ? segment->backward_of_batch : 0);
  }
};

// An accumulation step of a rank. A frozen part's weights in low precision go at once; those that gradients
// reach stay for the forward pass, and then until the segment's backward pass, unless it is checkpointed.
class Pass {
 public:
  explicit Pass(const StepSettings& step) : step_(step) {}

  // The next part on the way of the data. `has_gradient`: whether something before it learns, and then
  // whether something up to its end does.
  void forward(const CostPart& part, double items, bool& has_gradient) {
    if (!part.runs) return;
    level_.add(items * part.held);
    for (const auto& segment : part.segments) {
      has_gradient = has_gradient || segment.learns;
      if (has_gradient) {
        visit(segment, items);
      } else {
        level_.need(items * segment.forward);
      }
    }
    level_.alive -= items * part.held;
  }

  void backward(double loss) {
    for (const auto& visited : visited_) level_.alive -= visited.checkpointed ? visited.copies : 0;
    level_.add(loss);
    level_.alive -= loss;
    for (auto visited = visited_.rbegin(); visited != visited_.rend(); ++visited) {
      level_.need(visited->backward());
      level_.alive -= visited->kept() + (visited->checkpointed ? 0 : visited->copies);
    }
  }

  double peak() const { return level_.peak; }

  double kept() const {
    double bytes = 0;
    for (const auto& visited : visited_) bytes += visited.kept();
    return bytes;
  }

  // Of checkpointed segments, which have them in turn, the largest.
  double copies() const {
    double bytes = 0, largest = 0;
    for (const auto& visited : visited_) {
      if (visited.checkpointed) {
        largest = std::max(largest, visited.copies);
      } else {
        bytes += visited.copies;
      }
    }
    return bytes + largest;
  }

 private:
  void visit(const Segment& segment, double items) {
    constexpr double kHalf = 2;
    const bool copied = step_.precision != Precision::fp32;
    visited_.push_back({.segment = &segment,
                        .items = items,
                        .checkpointed = step_.activation_checkpointing && segment.is_block,
                        .copies = copied ? kHalf * segment.copied_weights : 0});
    level_.add(visited_.back().kept() + visited_.back().copies);
  }

  StepSettings step_;
  Level level_;
  std::vector<Visited> visited_;
};

// Similarities, their log-softmax in both directions and the targets; gathered features of both sides.
double loss_activations(const ActionClipConfig& sizes, const StepSettings& step) {
  if (!compares_texts(sizes, step)) return 0;  // counted with the classifier
  const auto width = static_cast<double>(sizes.vision.output_dim);
  if (step.class_texts > 0) {
    const double rows = videos_at_once(step), columns = texts_at_once(step);
    // The log-softmax and its gradients in and out; the similarities, from which logit_scale learns.
    const double matrices = step.trained.logit_scale ? 4 : 3;
    return (matrices * rows * columns + (rows + columns) * width) * kFloatBytes;
  }
  const double rows = videos_at_once(step), columns = rows * static_cast<double>(step.ranks);
  return (5 * rows * columns + 2 * columns * width) * kFloatBytes;
}

}  // namespace

StepMemory step_memory(const ActionClipConfig& sizes, const StepSettings& step) {
  const auto parameters = static_cast<double>(count_parameters(sizes).total());
  const auto trained = static_cast<double>(count_trained(sizes, step.trained).total());
  const auto parts = part_costs(sizes, step);
  Pass pass(step);
  bool video_learns = false, text_learns = false;
  for (const auto* part : {&parts.image, &parts.fusion, &parts.classifier})
    pass.forward(*part, videos_at_once(step), video_learns);
  // The text is encoded last, so its backward pass runs first.
  for (const auto* part : {&parts.context, &parts.text})
    pass.forward(*part, texts_at_once(step), text_learns);
  const double loss = loss_activations(sizes, step);
  pass.backward(loss);

  StepMemory memory;
  memory.weights = kFloatBytes * parameters;
  memory.low_precision = pass.copies();
  memory.gradients = kFloatBytes * trained;
  memory.optimizer = kFloatBytes * static_cast<double>(step.optimizer_slots) * trained;
  memory.average = step.averaged ? kFloatBytes * trained : 0;
  memory.kept_activations = pass.kept() + loss;
  memory.working_memory = std::max(0.0, pass.peak() - memory.kept_activations - memory.low_precision);
  return memory;
}

}  // namespace actionclip
