// Prompts with a learned context against CoOp's way of putting them together, on open_clip's text encoder.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/model/action_clip.h"
#include "actionclip/text/prompt_generator.h"
#include "actionclip/weights/initialize.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;
const std::vector<std::string> kLabels = {"abc", "d", "efghi", "ca"};  // as in the reference
constexpr std::int64_t kVectors = 3, kContextLength = 12;

// A token a letter, as in the reference.
class LetterTokenizer : public Tokenizer {
 public:
  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> tokens{*start_token()};
    for (const char letter : text) tokens.push_back(letter - 'a' + 1);
    tokens.push_back(end_token());
    return tokens;
  }
  std::int64_t vocabulary_size() const override { return 40; }
  std::optional<std::int64_t> start_token() const override { return 38; }
  std::int64_t end_token() const override { return 39; }
  std::string fingerprint() const override { return "letters"; }
};

TextInput prompts_of(ContextPosition position) {
  const PromptGenerator prompts(std::make_shared<LetterTokenizer>(), kLabels, {"{}"}, kContextLength,
                                /*truncate=*/false, {},
                                placeholders_of({.length = kVectors, .position = position}));
  const auto tensor_of = [&](std::span<const std::int64_t> values) {
    return at::tensor(at::IntArrayRef(values.data(), values.size()), at::kLong)
        .view({prompts.num_labels(), -1});
  };
  return {tensor_of(prompts.all()), tensor_of(prompts.placeholder_positions()),
          at::arange(prompts.num_labels(), at::kLong)};
}

TEST(LearnedContextParity, FeaturesAndGradientsEqualCoOps) {
  const TemporaryFolder folder;
  run_python("context_reference.py", {folder.path().string()});
  for (const std::string kind : {"shared", "specific"}) {
    for (const auto& [name, position] :
         {std::pair("begin", ContextPosition::begin), std::pair("middle", ContextPosition::middle),
          std::pair("end", ContextPosition::end)}) {
      SCOPED_TRACE(fmt::format("{} {}", kind, name));
      ActionClip model = build_model(load_weights(folder / fmt::format("{}_{}.safetensors", kind, name)));
      ASSERT_EQ(model->config().context.length, kVectors);
      ASSERT_EQ(model->config().context.classes, kind == "shared" ? 0 : std::ssize(kLabels));
      model->set_trainable(ModelPart::text, false);  // as in the prompt stage
      const auto io = read_tensors(folder / fmt::format("{}_{}_io.safetensors", kind, name));
      const auto features = model->encode_text(prompts_of(position));
      EXPECT_LT(relative_error(features, io.at("features")), kTolerance);
      (features * io.at("weights")).sum().backward();
      EXPECT_LT(relative_error(model->context->vectors.grad(), io.at("gradient")), kTolerance);
    }
  }
}

}  // namespace
}  // namespace actionclip
