// Every fusion head with weights, values and gradients, against plain PyTorch.

#include <map>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/model/temporal_fusion.h"

#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

constexpr double kTolerance = 1e-4;
constexpr std::int64_t kWidth = 96, kHeads = 3, kLayers = 6, kFrames = 8;

const std::map<std::string, TemporalFusionConfig>& cases() {
  static const auto config = [](FusionType type) {
    return TemporalFusionConfig{
        .type = type, .width = kWidth, .layers = kLayers, .heads = kHeads, .frames = kFrames};
  };
  static const std::map<std::string, TemporalFusionConfig> all = [] {
    auto short_positions = config(FusionType::Transf);
    short_positions.positions = kFrames;
    short_positions.layer_norm_eps = 1e-5;
    auto published = config(FusionType::Conv_1D);
    published.conv1d_layout = Conv1dLayout::published;
    return std::map<std::string, TemporalFusionConfig>{
        {"Transf", config(FusionType::Transf)},   {"Transf_as_many_positions_as_frames", short_positions},
        {"Conv_1D", config(FusionType::Conv_1D)}, {"Conv_1D_published", published},
        {"LSTM", config(FusionType::LSTM)},       {"Transf_cls", config(FusionType::Transf_cls)}};
  }();
  return all;
}

using Tensors = std::map<std::string, at::Tensor>;

// All names of the reference's weights, and no others.
void load(TemporalFusion& head, const Tensors& reference, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  std::set<std::string> names, expected;
  for (auto& parameter : head.named_parameters()) {
    names.insert(parameter.key());
    const auto found = reference.find(prefix + parameter.key());
    ASSERT_NE(found, reference.end()) << parameter.key();
    ASSERT_EQ(found->second.sizes(), parameter.value().sizes()) << parameter.key();
    parameter.value().copy_(found->second);
  }
  for (const auto& [name, value] : reference) {
    if (name.starts_with(prefix)) expected.insert(name.substr(prefix.size()));
  }
  EXPECT_EQ(names, expected);
}

// The key bias has no effect on attention: its gradient is rounding in both.
void expect_same_gradient(const std::string& name, const at::Tensor& ours, const at::Tensor& reference) {
  if (!name.ends_with("in_proj_bias")) {
    EXPECT_LT(relative_error(ours, reference), kTolerance) << name;
    return;
  }
  for (const std::int64_t part : {0, 2})
    EXPECT_LT(relative_error(ours.chunk(3)[part], reference.chunk(3)[part]), kTolerance) << name;
}

TEST(TemporalFusionParity, ValuesAndGradientsEqualPyTorch) {
  const TemporaryFolder folder;
  run_python("fusion_reference.py", {folder.path().string()});
  const auto reference = read_tensors(folder / "heads.safetensors");
  for (const auto& [name, config] : cases()) {
    SCOPED_TRACE(name);
    const auto head = make_temporal_fusion(config);
    head->eval();  // without dropout
    load(*head, reference, name + ".weights.");
    const auto frames = reference.at("frames").clone().requires_grad_();
    const auto fused = head->forward(frames);
    EXPECT_LT(relative_error(fused, reference.at(name + ".fused")), kTolerance);
    (fused * reference.at("direction")).sum().backward();
    expect_same_gradient("frames", frames.grad(), reference.at(name + ".grad.frames"));
    for (const auto& parameter : head->named_parameters()) {
      expect_same_gradient(parameter.key(), parameter.value().grad(),
                           reference.at(name + ".grad." + parameter.key()));
    }
  }
}

// The two layouts of Conv_1D are two heads.
TEST(TemporalFusionParity, ThePublishedLayoutOfConv1dIsNotThePapers) {
  const auto& all = cases();
  const auto frames = at::randn({2, kFrames, kWidth});
  EXPECT_FALSE(at::allclose(make_temporal_fusion(all.at("Conv_1D"))->forward(frames),
                            make_temporal_fusion(all.at("Conv_1D_published"))->forward(frames)));
}

}  // namespace
}  // namespace actionclip
