#include "actionclip/text/prompt_generator.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/text/templates.h"

#include "text/utf8.h"

namespace actionclip {
namespace {

void require_index(const char* what, std::int64_t index, std::int64_t size) {
  if (index < 0 || index >= size) {
    throw Error(fmt::format("{} {} does not exist; there are 0 to {}", what, index, size - 1));
  }
}

void require_descriptions(const Descriptions& descriptions, const std::vector<std::string>& labels) {
  const auto described = std::ranges::count_if(descriptions, [](const auto& own) { return !own.empty(); });
  if (descriptions.size() == labels.size() && static_cast<std::size_t>(described) == labels.size()) return;
  throw Error(
      fmt::format("{} labels have descriptions, of {}; each needs one at least", described, labels.size()));
}

// Puts the placeholders into the tokens of a label, and adds their positions to `positions`. Their id is the
// first one of the vocabulary that is not the end token: the end of a text is found by its id, as the largest
// of the row or the first of its kind, and must be found at the same place.
void insert_placeholders(std::vector<std::int64_t>& tokens, const Tokenizer& tokenizer,
                         const Placeholders& placeholders, std::vector<std::int64_t>& positions) {
  const std::int64_t id = tokenizer.end_token() == 0 ? 1 : 0;
  const bool starts = tokens.front() == tokenizer.start_token();
  const std::int64_t first = starts ? 1 : 0;
  const std::int64_t label_length = std::ssize(tokens) - first - 1;
  const std::int64_t second = first + placeholders.before + label_length;
  tokens.insert(tokens.begin() + first, placeholders.before, id);
  tokens.insert(tokens.begin() + second, placeholders.behind, id);
  for (std::int64_t i = 0; i < placeholders.before; ++i) positions.push_back(first + i);
  for (std::int64_t i = 0; i < placeholders.behind; ++i) positions.push_back(second + i);
}

}  // namespace

PromptGenerator::PromptGenerator(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> labels,
                                 std::vector<std::string> templates, std::int64_t context_length,
                                 bool truncate, Descriptions descriptions, Placeholders placeholders)
    : tokenizer_(std::move(tokenizer)),
      labels_(std::move(labels)),
      templates_(std::move(templates)),
      descriptions_(std::move(descriptions)),
      context_length_(context_length),
      placeholders_(placeholders) {
  if (!tokenizer_) throw Error("prompts need a tokenizer");
  if (labels_.empty() || templates_.empty()) throw Error("prompts need at least one label and one template");
  if (placeholders_.count() > 0) {
    templates_ = {"{}"};
    descriptions_.clear();
    place_labels(truncate);
    return;
  }
  if (!descriptions_.empty()) require_descriptions(descriptions_, labels_);
  std::vector<std::string> prompts;
  prompts.reserve(static_cast<std::size_t>(num_prompts() * num_labels()));
  for (std::int64_t index = 0; index < num_prompts(); ++index) {
    for (std::int64_t id = 0; id < num_labels(); ++id) prompts.push_back(fill(index, id));
  }
  tokens_ = tokenize(*tokenizer_, prompts, context_length_, truncate);
}

// Each label between its placeholders.
void PromptGenerator::place_labels(bool truncate) {
  const auto length = static_cast<std::size_t>(context_length_);
  const auto count = static_cast<std::size_t>(placeholders_.count());
  if (context_length_ < placeholders_.count() + 2) {
    throw Error(
        fmt::format("a learned context of {} vectors, with start and end token, does not fit into the "
                    "{} tokens of the text encoder's context",
                    count, context_length_));
  }
  tokens_.assign(labels_.size() * length, tokenizer_->pad_token());
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    auto tokens = tokenizer_->encode(labels_[i]);
    if (tokens.size() + count > length) {
      if (!truncate) {
        throw Error(
            fmt::format("label \"{}\" has {} tokens and the learned context {} more, the text encoder's "
                        "context holds {}; shorten it, lower model.context.length or have it cut "
                        "(text.truncate, predict's --truncate)",
                        detail::excerpt(labels_[i]), tokens.size(), count, length));
      }
      tokens.resize(length - count);
      tokens.back() = tokenizer_->end_token();
    }
    // The text would end there, before some of its placeholders.
    if (std::ranges::find(tokens, tokenizer_->end_token()) != tokens.end() - 1) {
      throw Error(fmt::format("label \"{}\" spells the end token, which a learned context has no use for",
                              detail::excerpt(labels_[i])));
    }
    insert_placeholders(tokens, *tokenizer_, placeholders_, positions_);
    std::ranges::copy(tokens, tokens_.begin() + static_cast<std::ptrdiff_t>(i * length));
  }
}

std::int64_t PromptGenerator::num_sentences(std::int64_t label_id) const {
  return descriptions_.empty()
             ? 1
             : static_cast<std::int64_t>(descriptions_[static_cast<std::size_t>(label_id)].size());
}

std::int64_t PromptGenerator::most_sentences() const {
  std::int64_t most = 1;
  for (const auto& own : descriptions_) most = std::max(most, static_cast<std::int64_t>(own.size()));
  return most;
}

std::int64_t PromptGenerator::num_prompts() const {
  return static_cast<std::int64_t>(templates_.size()) * most_sentences();
}

std::string PromptGenerator::fill(std::int64_t prompt_index, std::int64_t label_id) const {
  const auto& prompt_template = templates_[static_cast<std::size_t>(prompt_index / most_sentences())];
  const auto id = static_cast<std::size_t>(label_id);
  if (descriptions_.empty()) return fill_template(prompt_template, labels_[id]);
  const std::int64_t sentence = prompt_index % most_sentences() % num_sentences(label_id);
  return fill_template(prompt_template, descriptions_[id][static_cast<std::size_t>(sentence)]);
}

std::span<const std::int64_t> PromptGenerator::tokens(std::int64_t prompt_index,
                                                      std::int64_t label_id) const {
  require_index("prompt", prompt_index, num_prompts());
  require_index("label id", label_id, num_labels());
  const std::int64_t row = prompt_index * num_labels() + label_id;
  return all().subspan(static_cast<std::size_t>(row * context_length_),
                       static_cast<std::size_t>(context_length_));
}

std::span<const std::int64_t> PromptGenerator::random(std::uint64_t seed, std::int64_t epoch,
                                                      std::int64_t index, std::int64_t label_id) const {
  RandomStream stream(seed, RandomPurpose::kTemplate, static_cast<std::uint64_t>(epoch),
                      static_cast<std::uint64_t>(index));
  require_index("label id", label_id, num_labels());
  const std::int64_t prompt_template = stream.below(static_cast<std::int64_t>(templates_.size()));
  const std::int64_t sentences = num_sentences(label_id);
  const std::int64_t sentence = sentences > 1 ? stream.below(sentences) : 0;
  return tokens(prompt_template * most_sentences() + sentence, label_id);
}

std::string PromptGenerator::prompt(std::int64_t prompt_index, std::int64_t label_id) const {
  require_index("prompt", prompt_index, num_prompts());
  require_index("label id", label_id, num_labels());
  return fill(prompt_index, label_id);
}

}  // namespace actionclip
