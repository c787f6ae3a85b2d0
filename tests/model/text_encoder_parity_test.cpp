// The text encoder's variants against open_clip's, with the same random weights.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/model/text_transformer.h"

#include "tests/parity/module_reference.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;
constexpr std::int64_t kContextLength = 12, kVocabulary = 40, kEnd = 2;  // as in the reference

TEST(TextTransformerParity, FeaturesAndGradientsEqualOpenClips) {
  const TemporaryFolder folder;
  run_python("text_encoder_reference.py", {folder.path().string()});
  const std::vector<std::pair<std::string, TextTransformerConfig>> cases = {
      {"gelu",
       {.context_length = kContextLength,
        .vocabulary_size = kVocabulary,
        .width = 96,
        .layers = 3,
        .heads = 2,
        .output_dim = 40,
        .mlp_width = 144,
        .activation = Activation::gelu}},
      {"layer_scale",
       {.context_length = kContextLength,
        .vocabulary_size = kVocabulary,
        .width = 64,
        .layers = 2,
        .heads = 2,
        .output_dim = 32,
        .mlp_width = 320,
        .activation = Activation::gelu,
        .layer_scale = true}},
      {"eos",
       {.context_length = kContextLength,
        .vocabulary_size = kVocabulary,
        .width = 64,
        .layers = 2,
        .heads = 4,
        .output_dim = 24,
        .end_token = kEnd}},
  };
  for (const auto& [name, config] : cases) {
    SCOPED_TRACE(name);
    const auto reference = read_case(folder, name);
    TextTransformer encoder(config);
    take_weights(*encoder, reference);
    const auto features = encoder->forward(reference.at("tokens"));
    EXPECT_LT(relative_error(features, reference.at("features")), kTolerance);
    expect_same_gradients(features, *encoder, reference, kTolerance);
  }
}

}  // namespace
}  // namespace actionclip
