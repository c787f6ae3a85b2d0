#include <algorithm>
#include <string_view>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <boost/describe.hpp>
#include <fmt/format.h>
#include <torch/version.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/eval/text_cache.h"
#include "actionclip/model/autocast.h"
#include "actionclip/weights/initialize.h"
#include "actionclip/weights/tensor_hash.h"

namespace actionclip {
namespace {

// Of 77 tokens each: 200 MB between the layers of a block of CLIP's base models.
constexpr std::int64_t kPromptsAtOnce = 256;

// Whether the embedding of a prompt depends on the parameter.
bool is_of_texts(std::string_view name) {
  const auto part = part_of(name);
  return (part == ModelPart::text && name != "logit_scale") || part == ModelPart::context;
}

}  // namespace

at::Tensor encode_prompts(ActionClip& model, const TextInput& prompts, Precision precision) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(model->device().type(), precision);
  model->eval();
  const std::int64_t templates = prompts.tokens.size(0), rows = templates * prompts.tokens.size(1);
  const auto tokens = prompts.tokens.flatten(0, 1);
  const bool has_context = prompts.placeholders.defined();
  const auto placeholders = has_context ? prompts.placeholders.repeat({templates, 1}) : at::Tensor();
  const bool has_ids = prompts.label_ids.defined();
  const auto label_ids = has_ids ? prompts.label_ids.repeat({templates}) : at::Tensor();
  std::vector<at::Tensor> embeddings;
  for (std::int64_t first = 0; first < rows; first += kPromptsAtOnce) {
    const std::int64_t count = std::min(kPromptsAtOnce, rows - first);
    embeddings.push_back(l2_normalize(model->encode_text(
        {tokens.narrow(0, first, count), has_context ? placeholders.narrow(0, first, count) : at::Tensor(),
         has_ids ? label_ids.narrow(0, first, count) : at::Tensor()})));
  }
  return at::cat(embeddings).view({templates, prompts.tokens.size(1), -1});
}

std::string embeddings_key(const ActionClip& model, const TextInput& prompts, Precision precision) {
  const auto& config = model->config();
  std::string text =
      fmt::format("1\n{}\n{}\n{}\n{}\n{}\n", TORCH_VERSION, model->device().is_cuda() ? "cuda" : "cpu",
                  boost::describe::enum_to_string(precision, "?"), write_config(config.text),
                  write_config(config.context));
  for (const auto& [name, tensor] : state_dict(model)) {
    if (is_of_texts(name)) text += fmt::format("{} {}\n", name, tensor_hash(tensor));
  }
  for (const auto& tensor : {prompts.tokens, prompts.placeholders, prompts.label_ids})
    text += tensor_hash(tensor) + "\n";
  return sha256_of(text);
}

}  // namespace actionclip
