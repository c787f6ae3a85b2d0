#include "batch_texts.h"

#include <vector>

#include <ATen/ops/tensor.h>

#include "actionclip/train/step_choices.h"

namespace actionclip {
namespace {

// [B, L]
at::Tensor sample_tokens(const TextSources& sources, const Experiment& experiment,
                         const TrainProgress& progress, const Batch& batch) {
  std::vector<std::int64_t> tokens;
  if (sources.prompts != nullptr) {
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      const auto row =
          sources.prompts->random(experiment.seed, progress.epoch, batch.indices[i],
                                  batch.label_ids[static_cast<std::int64_t>(i)].item<std::int64_t>());
      tokens.insert(tokens.end(), row.begin(), row.end());
    }
  } else {
    tokens = tokenize(sources.tokenizer, batch.captions, sources.context_length, experiment.text.truncate);
  }
  return at::tensor(tokens, at::kLong).view({-1, sources.context_length});
}

}  // namespace

void add_texts(const TextSources& sources, const Experiment& experiment, const TrainProgress& progress,
               const Batch& batch, TrainBatch& result) {
  const auto* class_texts = sources.class_texts;
  if (experiment.train.objective == Objective::cross_entropy) {
    const auto seed = static_cast<std::uint64_t>(experiment.seed);
    result.template_index = choose_class_template(seed, progress.step, class_texts->tokens.size(0));
    result.tokens = class_texts->tokens[result.template_index];
    result.placeholders = class_texts->placeholders;
    return;
  }
  result.tokens = sample_tokens(sources, experiment, progress, batch);
  if (class_texts != nullptr && class_texts->placeholders.defined())
    result.placeholders = class_texts->placeholders.index_select(0, batch.label_ids);
}

}  // namespace actionclip
