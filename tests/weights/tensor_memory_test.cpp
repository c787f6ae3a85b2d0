// The tensors of a file take over the memory that they were read into, and the parameters of a model that of
// its weights, instead of copying it; no two tensors share memory. (A model is built before it takes weights,
// so that for a moment its own first values are held beside them. What loading takes:
// weights_memory_test.cpp.)
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/weights/initialize.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

#include "tests/temporary_folder.h"
#include "tests/weights/pickle_builder.h"
#include "tests/weights/small_model.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {
namespace {

constexpr std::uintptr_t kAlignment = 64;

const void* memory_of(const at::Tensor& tensor) { return tensor.const_data_ptr(); }

bool is_aligned(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % kAlignment == 0; }

TensorFile written_and_read(const NamedTensors& tensors) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", from_tensors(tensors), {});
  return read_safetensors(folder / "x");
}

// What torch.save would write of `ops`, its storages "0" and so on holding `storages`.
TensorFile torch_file(const std::string& ops, const std::vector<std::string>& storages) {
  std::vector<ZipEntry> entries = {{.name = "m/data.pkl", .data = pickles::program(ops)}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    entries.push_back({.name = "m/data/" + std::to_string(i), .data = storages[i]});
  const TemporaryFolder folder;
  write_text(folder / "x.pt", build_zip(entries));
  return read_tensor_file(folder / "x.pt");
}

TEST(TensorMemory, ATensorOfAFileIsTakenOverWithoutACopy) {
  auto file = written_and_read({{"a", at::arange(5)}, {"b", at::arange(6.0f).reshape({2, 3})}});
  TensorData data = std::move(file.tensors.at("b"));
  const void* memory = data.bytes.data();
  file = {};
  const at::Tensor tensor = to_tensor(std::move(data));
  EXPECT_EQ(memory_of(tensor), memory);
  EXPECT_TRUE(is_aligned(memory));
  EXPECT_TRUE(at::equal(tensor, at::arange(6.0f).reshape({2, 3})));
  tensor.mul_(2);
  EXPECT_EQ(tensor.sum().item<float>(), 30);
}

TEST(TensorMemory, ATensorThatSomethingElseHoldsIsCopied) {
  const auto file = written_and_read({{"a", at::ones({3})}});
  TensorData data = file.tensors.at("a");
  const at::Tensor copy = to_tensor(std::move(data));
  copy.fill_(2);
  EXPECT_NE(memory_of(copy), file.tensors.at("a").bytes.data());
  EXPECT_TRUE(at::equal(to_tensor(file.tensors.at("a")), at::ones({3})));
  const auto live = at::ones({3});
  to_tensor(from_tensor(live)).fill_(2);
  EXPECT_TRUE(at::equal(live, at::ones({3})));
}

TEST(TensorMemory, AWholeFileIsTakenOverUnlessItIsKept) {
  auto file = written_and_read({{"a", at::ones({3})}, {"b", at::ones({4})}});
  const void* memory = file.tensors.at("b").bytes.data();
  const auto copies = to_tensors(file);
  EXPECT_NE(memory_of(copies[1].second), memory);
  EXPECT_EQ(memory_of(to_tensors(std::move(file))[1].second), memory);
}

TEST(TensorMemory, ScalarsAndEmptyTensorsAreTakenOver) {
  auto tensors = to_tensors(written_and_read({{"e", at::empty({0, 3})}, {"s", at::scalar_tensor(2.5)}}));
  EXPECT_EQ(tensors[0].second.sizes(), (at::IntArrayRef{0, 3}));
  EXPECT_EQ(tensors[1].second.item<float>(), 2.5f);
}

TEST(TensorMemory, TensorsOfOneStorageDoNotShareMemory) {
  using namespace pickles;
  const std::string shared = storage("0", "ByteStorage", 6);
  const auto tensors =
      to_tensors(torch_file(dict({text("a"), tensor(shared, 0, {6}, {1}), text("b"),
                                  tensor(shared, 0, {2, 3}, {3, 1}), text("c"), tensor(shared, 2, {2}, {1})}),
                            {"abcdef"}));
  tensors[0].second.fill_(0);
  EXPECT_EQ(tensors[1].second[0][0].item<int>(), 'a');
  EXPECT_EQ(tensors[2].second[0].item<int>(), 'c');
  tensors[1].second.fill_(1);
  EXPECT_EQ(tensors[2].second[1].item<int>(), 'd');
}

TEST(TensorMemory, AViewOfPartOfAStorageDoesNotKeepTheRest) {
  using namespace pickles;
  auto file = torch_file(dict({text("w"), tensor(storage("0", "ByteStorage", 6), 0, {2}, {1})}), {"abcdef"});
  const void* memory = file.tensors.at("w").bytes.data();
  EXPECT_NE(memory_of(to_tensor(std::move(file.tensors.at("w")))), memory);
}

TEST(TensorMemory, ASharedStorageGoesWithTheLastOfItsViews) {
  using namespace pickles;
  const std::string shared = storage("0", "ByteStorage", 6);
  auto file = torch_file(
      dict({text("a"), tensor(shared, 0, {3}, {1}), text("b"), tensor(shared, 3, {3}, {1})}), {"abcdef"});
  const std::weak_ptr<const void> memory = file.tensors.at("a").owner;
  const at::Tensor first = to_tensor(std::move(file.tensors.at("a")));
  EXPECT_FALSE(memory.expired());
  const at::Tensor last = to_tensor(std::move(file.tensors.at("b")));
  EXPECT_TRUE(memory.expired());
  EXPECT_EQ(first[0].item<int>(), 'a');
  EXPECT_EQ(last[0].item<int>(), 'd');
}

TEST(TensorMemory, AStridedStorageIsReadRowByRow) {
  using namespace pickles;
  const auto tensors = to_tensors(
      torch_file(dict({text("w"), tensor(storage("0", "ByteStorage", 6), 0, {3, 2}, {1, 3})}), {"abcdef"}));
  EXPECT_EQ(tensors[0].second.sizes(), (at::IntArrayRef{3, 2}));
  EXPECT_EQ(tensors[0].second[0][1].item<int>(), 'd');
}

class HandOver : public testing::Test {
 protected:
  HandOver() {
    for (const auto& [name, tensor] : state_dict(source_)) weights_.emplace(name, tensor.clone());
  }

  void expect_model_of_source(const ActionClip& model) const {
    const auto expected = state_dict(source_);
    for (const auto& [name, tensor] : state_dict(model))
      EXPECT_TRUE(at::allclose(tensor, expected.at(name), 1e-3, 1e-3)) << name;
  }

  const ActionClip source_{small_sizes()};
  ActionClip model_{small_sizes()};
  StateDict weights_;
};

TEST_F(HandOver, AModelTakesTheMemoryOfItsWeights) {
  const void* memory = memory_of(weights_.at("visual.proj"));
  load_state_dict(model_, std::move(weights_));
  const auto parameter = model_->named_parameters()["visual.proj"];
  EXPECT_EQ(memory_of(parameter), memory);
  EXPECT_TRUE(parameter.requires_grad());
  EXPECT_TRUE(parameter.is_leaf());
  expect_model_of_source(model_);
}

TEST_F(HandOver, AModelCopiesWeightsThatSomethingElseHolds) {
  const at::Tensor kept = weights_.at("visual.proj");
  const at::Tensor view = weights_.at("text_projection").view({-1});
  load_state_dict(model_, std::move(weights_));
  EXPECT_NE(memory_of(model_->named_parameters()["visual.proj"]), memory_of(kept));
  EXPECT_NE(memory_of(model_->named_parameters()["text_projection"]), memory_of(view));
  expect_model_of_source(model_);
}

TEST_F(HandOver, WeightsOfAnotherTypeAreConverted) {
  for (auto& [name, tensor] : weights_) tensor = tensor.to(at::kHalf);
  load_state_dict(model_, std::move(weights_));
  for (const auto& parameter : model_->named_parameters())
    EXPECT_EQ(parameter.value().scalar_type(), at::kFloat) << parameter.key();
  expect_model_of_source(model_);
}

TEST_F(HandOver, WeightsThatAreKeptStayAsTheyAre) {
  load_state_dict(model_, weights_);
  const at::NoGradGuard no_grad;
  for (auto parameter : model_->parameters()) parameter.fill_(7);
  const auto expected = state_dict(source_);
  for (const auto& [name, tensor] : weights_) EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
}

TEST_F(HandOver, AModelThatTakesItsWeightsLeavesWhatElseTheyTell) {
  const TemporaryFolder folder;
  write_weights(folder / "weights.safetensors", state_dict(source_), to_metadata(small_sizes()));
  auto weights = load_weights(folder / "weights.safetensors");
  const void* memory = memory_of(weights.tensors.at("visual.proj"));
  const ActionClip model = take_model(weights);
  EXPECT_EQ(memory_of(model->named_parameters()["visual.proj"]), memory);
  EXPECT_TRUE(weights.tensors.empty());
  EXPECT_TRUE(weights.described);
  EXPECT_EQ(weights.config.vision.width, small_sizes().vision.width);
  expect_model_of_source(model);
}

}  // namespace
}  // namespace actionclip
