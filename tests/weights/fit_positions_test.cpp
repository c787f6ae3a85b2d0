#include "weights/fit_positions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/model/image_encoder.h"

#include "tests/temporary_folder.h"
#include "tests/weights/files.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPositions = "visual.positional_embedding";
constexpr const char* kPoolPositions = "visual.attnpool.positional_embedding";
constexpr const char* kTime = "visual.time_embedding";

class FitPositions : public ::testing::Test {
 protected:
  FitPositions() { at::manual_seed(1); }

  static at::Tensor fitted(const char* name, const at::Tensor& from, const at::Tensor& wanted) {
    StateDict tensors = {{name, from}};
    fit_positions(tensors, {{name, wanted}});
    return tensors.at(name);
  }
};

TEST_F(FitPositions, AnotherGridIsInterpolated) {
  const auto positions = at::randn({1 + 16, 6});
  for (const char* name : {kPositions, kPoolPositions}) {
    EXPECT_TRUE(at::equal(fitted(name, positions, at::zeros({1 + 9, 6})), resize_positions(positions, 3)));
    EXPECT_TRUE(fitted(name, positions, at::zeros({1 + 16, 6})).is_same(positions));
  }
}

TEST_F(FitPositions, WhatDoesNotFitInAnotherWayIsLeftForTheLoaderToRefuse) {
  for (const auto& positions : {at::zeros({1 + 16, 5}), at::zeros({12, 6}), at::zeros({6})})
    EXPECT_TRUE(fitted(kPositions, positions, at::zeros({1 + 9, 6})).is_same(positions));
  const auto time = at::zeros({4, 5});
  EXPECT_TRUE(fitted(kTime, time, at::zeros({8, 6})).is_same(time));
  StateDict none;
  fit_positions(none, {{kPositions, at::zeros({5, 6})}});
  EXPECT_TRUE(none.empty());
}

TEST_F(FitPositions, PositionsInTimeAreInterpolatedOrStartFresh) {
  const auto time = at::randn({4, 6});
  EXPECT_TRUE(at::equal(fitted(kTime, time, at::zeros({8, 6})), resize_time_positions(time, 8)));
  StateDict tensors;
  fit_positions(tensors, {{kTime, time}});
  EXPECT_TRUE(at::equal(tensors.at(kTime), time));
}

// Weights of small_sizes(), of 2 x 2 patches, as the start of an experiment.
class StartAtAnotherSize : public ::testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(9);
    trained_ = state_dict(ActionClip(small_sizes()));
    write_weights(file_, trained_, to_metadata(small_sizes()));
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "weights.safetensors";
  StateDict trained_;
};

TEST_F(StartAtAnotherSize, AnotherResolutionInterpolatesThePositionsAndTakesAllElse) {
  auto config = start_from(small_settings(), file_);
  config.vision.image_size = 48;
  const auto tensors = state_dict(build_model(config, 3));
  for (const auto& [name, tensor] : tensors) {
    const auto& trained = trained_.at(name);
    EXPECT_TRUE(at::equal(tensor, name == kPositions ? resize_positions(trained, 3) : trained)) << name;
  }
}

TEST_F(StartAtAnotherSize, AnotherPatchIsStillRefused) {
  auto config = start_from(small_settings(), file_);
  config.vision.patch_size = 8;
  EXPECT_THAT(weights_error([&] { build_model(config, 3); }), HasSubstr("visual.conv1.weight is"));
}

// As a run is resumed: its model must be the same.
TEST_F(StartAtAnotherSize, LoadingIntoAModelDoesNotInterpolate) {
  auto sizes = small_sizes();
  sizes.vision.image_size = 48;
  ActionClip model(sizes);
  EXPECT_THAT(weights_error([&] { load_state_dict(model, trained_); }),
              HasSubstr("visual.positional_embedding is [5, 64] in the file, [10, 64] in the model"));
}

TEST_F(StartAtAnotherSize, JointAttentionStartsWithFreshPositionsInTime) {
  auto config = start_from(small_settings(), file_);
  config.joint = true;
  config.fusion = FusionType::meanP;
  const auto tensors = state_dict(build_model(config, 3));
  EXPECT_TRUE(at::equal(tensors.at(kPositions), trained_.at(kPositions)));
  auto random = small_settings();
  random.joint = true;
  random.fusion = FusionType::meanP;
  EXPECT_TRUE(at::equal(tensors.at(kTime), state_dict(build_model(random, 3)).at(kTime)));
}

}  // namespace
}  // namespace actionclip
