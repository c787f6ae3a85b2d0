#include "actionclip/train/weight_average.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/weights/files.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

NamedTensors make_parameters() {
  at::manual_seed(6);
  return {{"visual.proj", at::randn({3, 4}).requires_grad_()},
          {"logit_scale", at::randn({}).requires_grad_()}};
}

void change(NamedTensors& parameters) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : parameters) tensor.add_(at::randn_like(tensor));
}

// In double precision, by the definition.
TEST(WeightAverage, FollowsTheParametersWithADecayThatRises) {
  constexpr double kDecay = 0.3;
  auto parameters = make_parameters();
  WeightAverage average(kDecay, parameters);
  std::vector<at::Tensor> expected;
  for (const auto& [name, tensor] : parameters) expected.push_back(tensor.detach().to(at::kDouble));
  for (int t = 0; t < 8; ++t) {
    change(parameters);
    average.update();
    const double decay = std::min(kDecay, (1.0 + t) / (10.0 + t));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto& [name, tensor] = parameters[i];
      expected[i] = decay * expected[i] + (1 - decay) * tensor.detach().to(at::kDouble);
      EXPECT_TRUE(at::allclose(average.state_dict().at(name).to(at::kDouble), expected[i], 1e-5, 1e-6))
          << name << " at " << t;
    }
  }
  EXPECT_EQ(average.updates(), 8);
}

TEST(WeightAverage, TheFirstUpdateForgetsNineTenthsOfTheStart) {
  auto weight = at::zeros({2}).requires_grad_();
  WeightAverage average(0.999, {{"weight", weight}});
  {
    const at::NoGradGuard no_grad;
    weight.fill_(1);
  }
  average.update();
  EXPECT_TRUE(at::allclose(average.state_dict().at("weight"), at::full({2}, 0.9)));
}

TEST(WeightAverage, IsInTheParametersForAScopeAndThenGoneBitForBit) {
  auto parameters = make_parameters();
  WeightAverage average(0.9, parameters);
  change(parameters);
  average.update();
  std::vector<at::Tensor> live, averaged;
  for (const auto& [name, tensor] : parameters) {
    live.push_back(tensor.detach().clone());
    averaged.push_back(average.state_dict().at(name).clone());
  }
  const auto expect = [&](const std::vector<at::Tensor>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_TRUE(at::equal(parameters[i].second, values[i]));
  };
  try {
    const AveragedWeights scope(&average);
    expect(averaged);
    throw std::runtime_error("an evaluation that fails");
  } catch (const std::runtime_error&) {
  }
  expect(live);
  EXPECT_TRUE(at::equal(average.state_dict().at("visual.proj"), averaged[0]));
  const AveragedWeights none(nullptr);
  expect(live);
}

TEST(WeightAverage, GoesOnFromASavedOne) {
  auto parameters = make_parameters();
  WeightAverage straight(0.9, parameters), resumed(0.9, parameters);
  change(parameters);
  straight.update();
  StateDict saved;
  for (const auto& [name, tensor] : straight.state_dict()) saved.emplace(name, tensor.clone());
  saved.emplace("of.another", at::zeros({1}));
  resumed.load(saved, straight.updates());
  change(parameters);
  straight.update();
  resumed.update();
  for (const auto& [name, tensor] : straight.state_dict())
    EXPECT_TRUE(at::equal(resumed.state_dict().at(name), tensor)) << name;
}

TEST(WeightAverage, OneThatDoesNotFitIsRefusedAndChangesNothing) {
  auto parameters = make_parameters();
  WeightAverage average(0.9, parameters);
  const auto before = average.state_dict().at("logit_scale").clone();
  EXPECT_THAT(weights_error([&] {
                average.load({{"logit_scale", at::ones({})}}, 3);
              }),
              HasSubstr("visual.proj is missing, [3, 4] is needed"));
  EXPECT_THAT(weights_error([&] {
                average.load({{"logit_scale", at::ones({})}, {"visual.proj", at::ones({4, 3})}}, 3);
              }),
              HasSubstr("visual.proj is [4, 3], [3, 4] is needed"));
  EXPECT_TRUE(at::equal(average.state_dict().at("logit_scale"), before));
  EXPECT_EQ(average.updates(), 0);
}

}  // namespace
}  // namespace actionclip
