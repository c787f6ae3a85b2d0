// Drop path and embedding dropout against open_clip's encoders, to which the masks that were drawn are given.

#include <cstdint>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/model/text_transformer.h"
#include "actionclip/model/vision_transformer.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "tests/parity/module_reference.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;
constexpr std::int64_t kSamples = 8, kTokens = 5, kWidth = 64, kOutput = 24;
constexpr double kDropPath = 0.6, kEmbeddingDropout = 0.3;  // as in the reference
constexpr std::uint64_t kSeed = 4;

// Nothing at its start of 0 or 1, so that an error anywhere shows.
void randomise(const torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  for (const auto& parameter : module.parameters()) {
    if (parameter.dim() == 1) parameter.add_(0.1 * at::randn_like(parameter));
  }
}

// The draws of the blocks, in their order: attention, then perceptron; nothing is drawn at a rate of 0.
void add_branches_kept(const Transformer& transformer, NamedTensors& masks) {
  int index = 0;
  for (const auto& module : *transformer->resblocks) {
    const double rate = module->as<ResidualAttentionBlock>()->drop_path();
    for (const char* branch : {"ls_1", "ls_2"}) {
      if (rate > 0)
        masks.emplace_back(fmt::format("kept.{}.{}", index, branch),
                           at::empty({kSamples, 1, 1}).bernoulli_(1 - rate));
    }
    ++index;
  }
}

// What the reference makes of `given` with the module's weights.
Tensors ask_reference(const std::string& kind, const torch::nn::Module& module, NamedTensors given) {
  const TemporaryFolder folder;
  const auto question = folder / "given.safetensors", answer = folder / "found.safetensors";
  for (const auto& [name, tensor] : tensors_of(module))
    given.emplace_back("weights." + name, tensor.detach());
  write_safetensors(question, from_tensors(given), {});
  run_python("drop_path_reference.py", {kind, question.string(), answer.string()});
  return read_tensors(answer.string());
}

void expect_same(const at::Tensor& features, const torch::nn::Module& module, const Tensors& reference) {
  EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
  expect_same_gradients(features, module, reference, kTolerance);
}

TEST(DropPathParity, AnImageEncoderInTrainingIsOpenClipsWithWhatIsLeftOut) {
  at::manual_seed(1);
  VisionTransformer encoder(VisionConfig{.image_size = 32,
                                         .patch_size = 16,
                                         .width = kWidth,
                                         .layers = 4,
                                         .heads = 4,
                                         .output_dim = kOutput,
                                         .drop_path = kDropPath,
                                         .embedding_dropout = kEmbeddingDropout});
  randomise(*encoder);
  const auto images = at::randn({kSamples, 3, 32, 32});
  NamedTensors given = {{"input", images}, {"upstream", at::randn({kSamples, kOutput})}};
  at::manual_seed(kSeed);
  const auto features = encoder->forward(images, 1);
  at::manual_seed(kSeed);
  const auto embedding = at::dropout(at::ones({kSamples, kTokens, kWidth}), kEmbeddingDropout, true);
  given.emplace_back("kept.embedding", (embedding != 0).to(at::kFloat));
  add_branches_kept(encoder->transformer, given);
  expect_same(features, *encoder, ask_reference("image", *encoder, given));
}

TEST(DropPathParity, ATextEncoderInTrainingIsOpenClipsWithWhatIsLeftOut) {
  at::manual_seed(2);
  TextTransformer encoder(TextTransformerConfig{.context_length = 8,
                                                .vocabulary_size = 20,
                                                .width = kWidth,
                                                .layers = 4,
                                                .heads = 4,
                                                .output_dim = kOutput,
                                                .drop_path = kDropPath});
  randomise(*encoder);
  const auto tokens = at::randint(1, 20, {kSamples, 8}, at::kLong);
  NamedTensors given = {{"input", tokens}, {"upstream", at::randn({kSamples, kOutput})}};
  at::manual_seed(kSeed);
  const auto features = encoder->forward(tokens);
  at::manual_seed(kSeed);
  add_branches_kept(encoder->transformer, given);
  expect_same(features, *encoder, ask_reference("text", *encoder, given));
}

}  // namespace
}  // namespace actionclip
