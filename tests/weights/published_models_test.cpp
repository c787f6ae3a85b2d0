// Files of published ActionCLIP and of mmaction2 alone, without an experiment, give models that compute what
// the programs compute that wrote them.

#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "actionclip/weights/initialize.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr std::int64_t kFrames = 4;

class PublishedModel : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedModel, ComputesTheSameFeatures) {
  const TemporaryFolder folder;
  run_python("published_models.py", {folder.path().string(), GetParam()});
  auto model = build_model(load_weights(folder / "weights.pt", kFrames));
  EXPECT_EQ(model->config().fusion.frames, kFrames);
  EXPECT_EQ(model->config().vision.temporal_shift, std::string(GetParam()) == "shift");
  model->eval();
  const at::NoGradGuard no_grad;
  const auto io = read_tensors(folder / "io.safetensors");
  EXPECT_LT(relative_error(model->encode_video(io.at("images")), io.at("video")), 1e-4);
  EXPECT_LT(relative_error(model->encode_text(io.at("tokens")), io.at("text")), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Weights, PublishedModel,
                         ::testing::Values("meanP", "Conv_1D", "LSTM", "Transf", "Transf_cls", "shift",
                                           "mmaction2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace actionclip
