#include "actionclip/weights/tensor_convert.h"

#include <memory>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/weights/files.h"

namespace actionclip {
namespace {

TEST(TensorConvert, EveryTypeComesBackBitForBit) {
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                          at::kChar, at::kByte, at::kBool}) {
    const auto tensor = at::arange(6).reshape({2, 3}).to(type);
    const auto back = to_tensor(from_tensor(tensor));
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(at::equal(back, tensor)) << at::toString(type);
  }
}

TEST(TensorConvert, ScalarsAndEmptyTensorsKeepTheirShape) {
  EXPECT_EQ(to_tensor(from_tensor(at::scalar_tensor(2.5))).sizes(), at::IntArrayRef{});
  EXPECT_EQ(to_tensor(from_tensor(at::empty({0, 3}))).sizes(), (at::IntArrayRef{0, 3}));
}

TEST(TensorConvert, AStridedTensorIsStoredRowByRow) {
  const auto tensor = at::arange(6).reshape({2, 3}).t();
  const auto data = from_tensor(tensor);
  EXPECT_EQ(data.strides, contiguous_strides(data.shape));
  EXPECT_TRUE(at::equal(to_tensor(data), tensor));
}

TEST(TensorConvert, AContiguousTensorSharesItsMemoryAndIsKeptAlive) {
  auto tensor = at::ones({4}).requires_grad_(true);
  const auto* memory = tensor.const_data_ptr();
  const auto data = from_tensor(tensor);
  tensor = at::Tensor();
  EXPECT_EQ(static_cast<const void*>(data.bytes.data()), memory);
  EXPECT_TRUE(at::equal(to_tensor(data), at::ones({4})));
}

TEST(TensorConvert, StridedViewsOfUnalignedBytesAreRead) {
  const auto numbers = at::arange(6.0f);
  std::vector<std::byte> bytes(1 + numbers.nbytes());
  std::memcpy(bytes.data() + 1, numbers.const_data_ptr(), numbers.nbytes());
  const TensorData transposed{DType::kFloat32, {3, 2}, {1, 3}, std::span(bytes).subspan(1), nullptr};
  const auto tensor = to_tensor(transposed);
  EXPECT_TRUE(tensor.is_contiguous());
  EXPECT_TRUE(at::equal(tensor, numbers.reshape({2, 3}).t()));
}

TEST(TensorConvert, WritingToATensorLeavesItsSourceAlone) {
  const auto source = at::ones({3});
  to_tensor(from_tensor(source)).fill_(2);
  EXPECT_TRUE(at::equal(source, at::ones({3})));
}

TEST(TensorConvert, AStridedTensorThatAloneHasItsMemoryIsAViewOfIt) {
  TensorData data = from_tensor(at::arange(6.0f));
  data.shape = {3, 2};
  data.strides = {1, 3};
  data.owns_bytes = true;
  const auto* memory = data.bytes.data();
  const auto tensor = to_tensor(std::move(data));
  EXPECT_EQ(tensor.const_data_ptr(), static_cast<const void*>(memory));
  EXPECT_TRUE(at::equal(tensor, at::arange(6.0f).reshape({2, 3}).t()));
}

TEST(TensorConvert, AFewElementsOfALargeStorageDoNotKeepIt) {
  TensorData data = from_tensor(at::arange(1000.0f));
  data.shape = {2};
  data.strides = {999};
  data.owns_bytes = true;
  const std::weak_ptr<const void> storage = data.owner;
  const auto tensor = to_tensor(std::move(data));
  EXPECT_TRUE(storage.expired());
  EXPECT_TRUE(at::equal(tensor, at::tensor({0.0f, 999.0f})));
}

TEST(TensorConvert, RefusesAViewThatReachesOutsideItsBytes) {
  auto data = from_tensor(at::ones({2, 2}));
  data.bytes = data.bytes.first(15);
  EXPECT_THROW(to_tensor(data), WeightsError);
}

TEST(TensorConvert, RefusesTypesThatFilesDoNotKnow) {
  EXPECT_THROW(from_tensor(at::ones({2}, at::kComplexFloat)), WeightsError);
}

TEST(TensorConvert, NamedTensorsGoThroughAFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "t.safetensors",
                    from_tensors({{"b", at::ones({2})}, {"a", at::zeros({1}, at::kLong)}}), {});
  const auto tensors = to_tensors(read_safetensors(folder / "t.safetensors"));
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].first, "a");
  EXPECT_TRUE(at::equal(tensors[1].second, at::ones({2})));
}

}  // namespace
}  // namespace actionclip
