// What the tests that need a GPU share: when they run, and a small model with something to learn.
// They use neither video nor what it needs, so that their program runs on a machine that has torch alone.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/train/learner.h"
#include "actionclip/weights/initialize.h"

#include "tests/random_model.h"

namespace actionclip {

inline const c10::Device kGpu(c10::kCUDA, 0);

inline int count_gpus() {
  return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

// Skips where there is no GPU. With ACTIONCLIP_REQUIRE_GPU=1, which scripts/gpu_check.sh sets, fails there,
// so that a check of a GPU machine cannot pass by skipping.
class GpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (count_gpus() <= 0) {
      const char* required = std::getenv("ACTIONCLIP_REQUIRE_GPU");
      if (required != nullptr && std::string(required) == "1")
        FAIL() << "no usable CUDA device on this machine, and ACTIONCLIP_REQUIRE_GPU=1";
      GTEST_SKIP() << "no usable CUDA device on this machine";
    }
    // Their ten bits of mantissa would hide what is compared.
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
  }
};

// Every kind of layer more than once, in the sizes of attention that GPUs have kernels of their own for.
inline ActionClip make_small_model() {
  return build_model(random_model({.width = 128,
                                   .layers = 3,
                                   .heads = 2,
                                   .frames = 4,
                                   .image_size = 64,
                                   .patch_size = 16,
                                   .context_length = 16,
                                   .vocabulary_size = 100}),
                     /*seed=*/1);
}

// Eight videos of coloured squares, one a patch, each with a text of its own length; two share a label. On
// the CPU, as the loader gives them.
inline TrainBatch make_batch() {
  at::manual_seed(2);
  TrainBatch batch;
  batch.clips =
      at::randint(0, 256, {8, 4, 3, 4, 4}, at::kByte).repeat_interleave(16, 3).repeat_interleave(16, 4);
  batch.tokens = at::zeros({8, 16}, at::kLong);
  for (std::int64_t i = 0; i < 8; ++i) {
    const std::int64_t length = 6 + i;
    auto text = batch.tokens[i].narrow(0, 0, length);
    text.copy_(at::randint(1, 98, {length}, at::kLong));
    text[0] = 98;
    text[length - 1] = 99;  // the largest: end of text
  }
  batch.label_ids = at::tensor({0, 1, 2, 0, 3, 4, 5, 6}, at::kLong);
  return batch;
}

inline TrainConfig small_training(Precision precision = Precision::fp32) {
  TrainConfig config;
  config.lr = 1e-4;
  config.precision = precision;
  return config;
}

inline Learner make_learner(const TrainConfig& config, c10::Device device) {
  return Learner(make_small_model(), config, /*fix_text=*/false, device);
}

inline std::vector<StepReport> take_steps(Learner& learner, int steps,
                                          const TrainBatch& batch = make_batch()) {
  std::vector<StepReport> reports;
  for (int i = 0; i < steps; ++i) reports.push_back(learner.step(small_training().lr, [&] { return batch; }));
  return reports;
}

inline std::vector<double> losses_of(const std::vector<StepReport>& reports) {
  std::vector<double> losses;
  for (const auto& report : reports) losses.push_back(report.loss);
  return losses;
}

inline void expect_near(const std::vector<double>& losses, const std::vector<double>& expected,
                        double relative) {
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < losses.size(); ++i)
    EXPECT_NEAR(losses[i], expected[i], relative * expected[i]) << "step " << i + 1;
}

}  // namespace actionclip
