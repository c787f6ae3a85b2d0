#include "actionclip/text/prompt_generator.h"

#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/text/templates.h"

namespace actionclip {
namespace {

void require_index(const char* what, std::int64_t index, std::int64_t size) {
  if (index < 0 || index >= size) {
    throw Error(fmt::format("{} {} does not exist; there are 0 to {}", what, index, size - 1));
  }
}

}  // namespace

PromptGenerator::PromptGenerator(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> labels,
                                 std::vector<std::string> templates, std::int64_t context_length,
                                 bool truncate)
    : tokenizer_(std::move(tokenizer)),
      labels_(std::move(labels)),
      templates_(std::move(templates)),
      context_length_(context_length) {
  if (!tokenizer_) throw Error("prompts need a tokenizer");
  if (labels_.empty() || templates_.empty()) throw Error("prompts need at least one label and one template");
  std::vector<std::string> prompts;
  prompts.reserve(templates_.size() * labels_.size());
  for (const auto& prompt_template : templates_) {
    for (const auto& label : labels_) prompts.push_back(fill_template(prompt_template, label));
  }
  tokens_ = tokenize(*tokenizer_, prompts, context_length_, truncate);
}

std::span<const std::int64_t> PromptGenerator::tokens(std::int64_t template_index,
                                                      std::int64_t label_id) const {
  require_index("template", template_index, num_templates());
  require_index("label id", label_id, num_labels());
  const std::int64_t row = template_index * num_labels() + label_id;
  return all().subspan(static_cast<std::size_t>(row * context_length_),
                       static_cast<std::size_t>(context_length_));
}

std::span<const std::int64_t> PromptGenerator::random(std::uint64_t seed, std::int64_t epoch,
                                                      std::int64_t index, std::int64_t label_id) const {
  RandomStream stream(seed, RandomPurpose::kTemplate, static_cast<std::uint64_t>(epoch),
                      static_cast<std::uint64_t>(index));
  return tokens(stream.below(num_templates()), label_id);
}

std::string PromptGenerator::prompt(std::int64_t template_index, std::int64_t label_id) const {
  require_index("template", template_index, num_templates());
  require_index("label id", label_id, num_labels());
  return fill_template(templates_[static_cast<std::size_t>(template_index)],
                       labels_[static_cast<std::size_t>(label_id)]);
}

}  // namespace actionclip
