#include "actionclip/train/optimizer.h"

#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/safetensors.h"

#include "tests/parity/run_python.h"
#include "tests/weights/files.h"

namespace actionclip {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

at::Tensor parameter(at::Tensor values) { return values.clone().requires_grad_(true); }

OptimizerConfig config_of(OptimizerKind kind, double momentum = 0.9) {
  OptimizerConfig config;
  config.kind = kind;
  config.momentum = momentum;
  return config;
}

std::vector<ParameterGroup> two_groups(const TensorFile& file) {
  const auto initial = [&](const std::string& name) {
    return parameter(to_tensor(file.tensors.at("initial." + name)));
  };
  return {{"towers",
           {"visual.proj", "logit_scale"},
           {initial("visual.proj"), initial("logit_scale")},
           /*lr_ratio=*/1,
           /*weight_decay=*/0.2},
          {"fusion",
           {"fusion.weight", "fusion.bias"},
           {initial("fusion.weight"), initial("fusion.bias")},
           10,
           0}};
}

double relative_difference(const at::Tensor& ours, const at::Tensor& reference) {
  return ((ours - reference).norm() / (reference.norm() + 1e-30)).item<double>();
}

void set_gradients(const std::vector<ParameterGroup>& groups, const TensorFile& file, int step) {
  for (const auto& group : groups) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      auto values = group.parameters[i];
      const auto found = file.tensors.find(fmt::format("gradient.{}.{}", step, group.names[i]));
      values.mutable_grad() = found == file.tensors.end() ? at::Tensor() : to_tensor(found->second);
    }
  }
}

void expect_reference_agrees(const std::string& kind, const OptimizerConfig& config) {
  const TemporaryFolder folder;
  run_python("optimizer_reference.py",
             {kind, fmt::format("{}", config.momentum), (folder / "reference.safetensors").string()});
  const auto reference = read_safetensors(folder / "reference.safetensors");
  const auto optimizer = make_optimizer(config, two_groups(reference));
  for (int step = 0; step < 10; ++step) {
    set_gradients(optimizer->groups(), reference, step);
    optimizer->step(1e-3 * (step + 1));
    for (const auto& group : optimizer->groups()) {
      for (std::size_t i = 0; i < group.names.size(); ++i) {
        const auto& expected = reference.tensors.at(fmt::format("parameter.{}.{}", step, group.names[i]));
        EXPECT_LE(relative_difference(group.parameters[i].detach(), to_tensor(expected)), 1e-6)
            << group.names[i] << " after step " << step;
      }
    }
  }
  const auto state = optimizer->state_dict();
  for (const auto& [name, tensor] : state) {
    EXPECT_LE(relative_difference(tensor, to_tensor(reference.tensors.at("state." + name))), 1e-6) << name;
  }
  const auto expected_slots = config.kind != OptimizerKind::sgd ? 3u : config.momentum == 0 ? 0u : 1u;
  EXPECT_EQ(state.size(), 4 * expected_slots);
}

TEST(OptimizerParity, AdamWAgreesWithPython) {
  expect_reference_agrees("adamw", config_of(OptimizerKind::adamw));
}

TEST(OptimizerParity, AdamAgreesWithPython) {
  expect_reference_agrees("adam", config_of(OptimizerKind::adam));
}

TEST(OptimizerParity, SgdAgreesWithPython) { expect_reference_agrees("sgd", config_of(OptimizerKind::sgd)); }

TEST(OptimizerParity, SgdWithoutMomentumAgreesWithPython) {
  expect_reference_agrees("sgd", config_of(OptimizerKind::sgd, 0));
}

ParameterGroup small_group() {
  return {"all", {"a", "b"}, {parameter(at::arange(6.0f).reshape({2, 3})), parameter(at::ones({3}))}, 1, 0.1};
}

void give_gradient(const at::Tensor& values, double gradient) {
  auto handle = values;
  handle.mutable_grad() = at::full_like(values, gradient).detach();
}

TEST(Optimizer, AParameterWithoutGradientAndItsStateStay) {
  const auto optimizer = make_optimizer(config_of(OptimizerKind::adamw), {small_group()});
  const auto& parameters = optimizer->groups()[0].parameters;
  give_gradient(parameters[0], 1);
  optimizer->step(0.1);
  EXPECT_TRUE(at::equal(parameters[1], at::ones({3})));
  for (const auto& [name, tensor] : optimizer->state_dict()) {
    EXPECT_EQ(tensor.count_nonzero().item<std::int64_t>() != 0, name.ends_with(".a")) << name;
  }
}

TEST(Optimizer, AGradientLaidOutDifferentlyGivesTheSameStep) {
  const auto plain = make_optimizer(config_of(OptimizerKind::adamw), {small_group()});
  const auto strided = make_optimizer(config_of(OptimizerKind::adamw), {small_group()});
  const auto gradient = at::tensor({1.0f, -2.0f, 3.0f, -4.0f, 5.0f, -6.0f}).reshape({2, 3});
  auto first = plain->groups()[0].parameters[0];
  auto second = strided->groups()[0].parameters[0];
  first.mutable_grad() = gradient;
  second.mutable_grad() = gradient.t().contiguous().t();
  ASSERT_NE(second.grad().strides(), second.strides());
  plain->step(0.1);
  strided->step(0.1);
  EXPECT_TRUE(at::equal(first, second));
}

TEST(Optimizer, ZeroGradKeepsTheMemoryOfTheGradients) {
  const auto optimizer = make_optimizer(config_of(OptimizerKind::sgd), {small_group()});
  optimizer->zero_grad();
  const auto& parameters = optimizer->groups()[0].parameters;
  give_gradient(parameters[0], 2);
  const auto* memory = parameters[0].grad().const_data_ptr();
  optimizer->zero_grad();
  EXPECT_EQ(parameters[0].grad().const_data_ptr(), memory);
  EXPECT_EQ(parameters[0].grad().count_nonzero().item<std::int64_t>(), 0);
  EXPECT_FALSE(parameters[1].grad().defined());
  EXPECT_EQ(optimizer->gradients().size(), 1u);
}

TEST(Optimizer, GoesOnBitForBitFromALoadedState) {
  const TemporaryFolder folder;
  const auto first = make_optimizer(config_of(OptimizerKind::adamw), {small_group()});
  const auto run = [](Optimizer& optimizer, int from, int to) {
    for (int step = from; step < to; ++step) {
      for (const auto& values : optimizer.groups()[0].parameters) give_gradient(values, 0.1 * step - 0.3);
      optimizer.step(0.01);
    }
  };
  run(*first, 0, 5);
  write_safetensors(folder / "optimizer.safetensors", from_tensors(first->state_dict()), {});
  auto group = small_group();
  for (std::size_t i = 0; i < 2; ++i)
    group.parameters[i] = parameter(first->groups()[0].parameters[i].detach());
  const auto second = make_optimizer(config_of(OptimizerKind::adamw), {group});
  second->load_state_dict(to_tensors(read_safetensors(folder / "optimizer.safetensors")));
  run(*first, 5, 10);
  run(*second, 5, 10);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(at::equal(first->groups()[0].parameters[i], second->groups()[0].parameters[i]));
  }
}

TEST(Optimizer, AStateThatDoesNotFitIsToldNameByNameAndChangesNothing) {
  const auto optimizer = make_optimizer(config_of(OptimizerKind::adamw), {small_group()});
  NamedTensors state;
  for (const auto& [name, tensor] : optimizer->state_dict()) state.emplace_back(name, tensor + 1);
  state[0].first = "exp_avg.c";
  state[1].second = at::zeros({4});
  try {
    optimizer->load_state_dict(state);
    FAIL() << "accepted";
  } catch (const WeightsError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("missing: exp_avg.a;"), HasSubstr("surplus: exp_avg.c;"),
                                    HasSubstr("exp_avg.b [4] instead of [3]")));
  }
  for (const auto& [name, tensor] : optimizer->state_dict()) {
    EXPECT_EQ(tensor.count_nonzero().item<std::int64_t>(), 0) << name;
  }
}

TEST(Optimizer, AMessageAboutManyTensorsStaysShort) {
  ParameterGroup group{"all", {}, {}, 1, 0};
  for (int i = 0; i < 100; ++i) {
    group.names.push_back(fmt::format("p{}", i));
    group.parameters.push_back(parameter(at::ones({1})));
  }
  const auto optimizer = make_optimizer(config_of(OptimizerKind::sgd), {group});
  try {
    optimizer->load_state_dict({});
    FAIL() << "accepted";
  } catch (const WeightsError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("momentum_buffer.p0, "), HasSubstr("and 92 more"), Not(HasSubstr("p50"))));
  }
}

TEST(Optimizer, RefusesGroupsThatCannotBeUpdatedTogether) {
  const auto config = config_of(OptimizerKind::adamw);
  auto unnamed = small_group();
  unnamed.names.pop_back();
  EXPECT_THROW(make_optimizer(config, {unnamed}), std::invalid_argument);
  EXPECT_THROW(make_optimizer(config, {small_group(), small_group()}), std::invalid_argument);
  auto mixed = small_group();
  mixed.parameters[1] = parameter(at::ones({3}, at::kDouble));
  EXPECT_THROW(make_optimizer(config, {mixed}), std::invalid_argument);
  auto gaps = small_group();
  gaps.parameters[1] = at::ones({6}).slice(0, 0, 6, 2);
  EXPECT_THROW(make_optimizer(config, {gaps}), std::invalid_argument);
}

TEST(Optimizer, AnEmptyGroupIsFine) {
  const auto optimizer =
      make_optimizer(config_of(OptimizerKind::adam), {{"fusion", {}, {}, 10, 0}, small_group()});
  optimizer->step(0.1);
  EXPECT_TRUE(optimizer->gradients().empty());
}

}  // namespace
}  // namespace actionclip
