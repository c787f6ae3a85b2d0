#include "actionclip/weights/tensor_file.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/child_process.h"
#include "tests/weights/crafted_safetensors.h"
#include "tests/weights/files.h"
#include "tests/weights/pickle_builder.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {
namespace {

using testing::HasSubstr;

std::string error_for(const std::string& content) {
  const TemporaryFolder folder;
  write_text(folder / "weights.pt", content);
  const std::string message = weights_error([&] { read_tensor_file(folder / "weights.pt"); });
  EXPECT_THAT(message, HasSubstr("weights.pt"));
  return message;
}

TEST(DType, NamesAndSizesFitTogether) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt64, DType::kInt32,
        DType::kInt16, DType::kInt8, DType::kUInt8, DType::kBool}) {
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(item_size(DType::kBFloat16), 2u);
  EXPECT_EQ(item_size(DType::kInt64), 8u);
  EXPECT_EQ(item_size(DType::kBool), 1u);
  EXPECT_EQ(dtype_from_name("F8_E4M3"), std::nullopt);
}

TEST(Shape, StridesAreRowMajor) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (std::vector<std::int64_t>{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({}), (std::vector<std::int64_t>{}));
  EXPECT_EQ(shape_string({512, 768}), "[512, 768]");
  EXPECT_EQ(shape_string({}), "[]");
}

TEST(TensorFile, TellsSafetensorsByItsContent) {
  const TemporaryFolder folder;
  write_text(folder / "weights.pt", little_endian(2, 8) + "{}");
  EXPECT_EQ(read_tensor_file(folder / "weights.pt").format, WeightsFormat::safetensors);
}

TEST(TensorFile, SaysWhatAFileIsInstead) {
  EXPECT_THAT(error_for(""), HasSubstr("the file is empty"));
  EXPECT_THAT(error_for("\n<!DOCTYPE html><html>"), HasSubstr("a web page"));
  EXPECT_THAT(error_for("<html>"), HasSubstr("a web page"));
  EXPECT_THAT(error_for("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(error_for("\x80\x02\x8a\x0al\xfc\x9c"), HasSubstr("torch.save(torch.load("));
  EXPECT_THAT(error_for(std::string(257, '\0') + "ustar" + std::string(250, '\0')), HasSubstr("tar archive"));
  EXPECT_THAT(error_for("x"), HasSubstr("neither a safetensors file nor a zip archive"));
  EXPECT_THAT(error_for(std::string("PK\x03\x04") + std::string(100, 'x')),
              HasSubstr("truncated or damaged"));
}

// Peak of the memory that reading takes, as a share of what the tensors have.
double memory_share(const std::string& content, std::int64_t tensor_bytes) {
  const TemporaryFolder folder;
  write_text(folder / "weights", content);
  const auto report = run_in_child(folder.path(), [&] {
    const TensorFile file = read_tensor_file(folder / "weights");
    return fmt::format("{} tensors", file.tensors.size());
  });
  EXPECT_EQ(report.text, "4 tensors");
  return static_cast<double>(report.memory) / static_cast<double>(tensor_bytes);
}

TEST(TensorFile, ReadingTakesNoMoreMemoryThanTheTensors) {
  if (!kMemoryTells) GTEST_SKIP() << "resident memory does not tell under sanitizers";
  using namespace pickles;
  constexpr std::int64_t kTensors = 4, kSize = 16 << 20;
  std::string header = "{", ops;
  std::vector<ZipEntry> entries(1);
  for (std::int64_t i = 0; i < kTensors; ++i) {
    header += fmt::format(R"("{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)", i, kSize,
                          i * kSize, (i + 1) * kSize);
    ops +=
        text(std::to_string(i)) + tensor(storage(std::to_string(i), "ByteStorage", kSize), 0, {kSize}, {1});
    entries.push_back({.name = fmt::format("m/data/{}", i), .data = std::string(kSize, 'x')});
  }
  header.back() = '}';
  entries[0] = {.name = "m/data.pkl", .data = program("}(" + ops + "u")};
  EXPECT_LE(memory_share(safetensors(header, std::string(kTensors * kSize, 'x')), kTensors * kSize), 1.1);
  EXPECT_LE(memory_share(build_zip(entries), kTensors * kSize), 1.1);
}

TEST(TensorFile, NamesPathsThatAreNotFiles) {
  const TemporaryFolder folder;
  EXPECT_THAT(weights_error([&] { read_tensor_file(folder / "missing.pt"); }),
              HasSubstr("missing.pt: No such file"));
  EXPECT_THAT(weights_error([&] { read_tensor_file(folder.path()); }), HasSubstr("it is a folder"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(weights_error([&] { read_tensor_file(folder / "pipe"); }), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace actionclip
