#include "actionclip/train/experiment_data.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/text/templates.h"
#include "actionclip/text/tokenizer.h"

namespace actionclip {

ClipDatasetOptions clip_options(const Experiment& experiment, std::int64_t image_size, std::int64_t frames) {
  ClipDatasetOptions options;
  options.frames = frames;
  options.clips = experiment.eval.clips;
  options.crops = experiment.eval.crops;
  options.transforms = resolve(experiment.data.transforms, image_size);
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  options.max_failed_share = experiment.data.max_failed_share;
  return options;
}

PromptGenerator make_prompt_generator(const TextConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                                      const LabelSet& labels, std::int64_t context_length) {
  auto templates =
      config.templates.empty() ? std::vector<std::string>{"{}"} : read_templates(config.templates.path);
  return PromptGenerator(std::move(tokenizer), labels.names(), std::move(templates), context_length,
                         config.truncate);
}

void require_captions_fit(const VideoList& list, const Tokenizer& tokenizer, std::int64_t context_length) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::int64_t> lines;
  for (const auto& entry : list.entries) {
    if (std::ssize(tokenizer.encode(entry.caption)) > context_length) lines.push_back(entry.line);
  }
  if (lines.empty()) return;
  const auto count = lines.size();
  lines.resize(std::min(count, kNamed));
  throw Error(fmt::format(
      "{}: {} captions have more than the {} tokens that the context holds, in line {}{}; shorten "
      "them, or set text.truncate",
      list.file.string(), count, context_length, fmt::join(lines, ", "), count > kNamed ? " ..." : ""));
}

Preprocessing preprocessing_of(const Experiment& experiment, const Tokenizer& tokenizer,
                               std::int64_t image_size) {
  return {.test_resize = resolve(experiment.data.transforms, image_size).test_resize,
          .truncate = experiment.text.truncate,
          .vocabulary = tokenizer.fingerprint()};
}

at::Tensor token_tensor(const PromptGenerator& prompts) {
  return at::tensor(at::IntArrayRef(prompts.all().data(), prompts.all().size()), at::kLong)
      .view({prompts.num_templates(), prompts.num_labels(), prompts.context_length()});
}

}  // namespace actionclip
