#include "weights/byte_source.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/weights/safetensors.h"

#include "tests/weights/crafted_safetensors.h"
#include "tests/weights/files.h"

namespace actionclip {
namespace {

using testing::HasSubstr;

std::string read_part(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  source.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

TEST(ByteSource, ReadsPartsOfAFileAndOfMemory) {
  const TemporaryFolder folder;
  write_text(folder / "x", "abcdef");
  const FileSource file(folder / "x");
  const MemorySource memory(bytes_of("abcdef"), "memory");
  for (const ByteSource* source :
       {static_cast<const ByteSource*>(&file), static_cast<const ByteSource*>(&memory)}) {
    EXPECT_EQ(source->size(), 6u);
    EXPECT_EQ(read_part(*source, 0, 6), "abcdef");
    EXPECT_EQ(read_part(*source, 4, 2), "ef");
    EXPECT_EQ(read_part(*source, 6, 0), "");
    for (const std::uint64_t offset : {std::uint64_t{5}, std::uint64_t{7}, std::uint64_t{1} << 62}) {
      EXPECT_THAT(weights_error([&] { read_part(*source, offset, 2); }),
                  HasSubstr("cannot read " + source->name()));
    }
  }
  EXPECT_EQ(file.name(), (folder / "x").string());
}

TEST(ByteSource, AFileThatIsDeletedStaysReadable) {
  const TemporaryFolder folder;
  write_text(folder / "x", "abcdef");
  const FileSource file(folder / "x");
  std::filesystem::remove(folder / "x");
  EXPECT_EQ(read_part(file, 1, 2), "bc");
}

TEST(ByteSource, AFileThatIsCutWhileItIsOpenIsAnError) {
  const TemporaryFolder folder;
  write_text(folder / "x", "abcdef");
  const FileSource file(folder / "x");
  std::filesystem::resize_file(folder / "x", 3);
  EXPECT_THAT(weights_error([&] { read_part(file, 0, 6); }),
              HasSubstr("it ends at byte 3, 3 more are needed"));
}

TEST(ByteSource, TensorsStayAsTheyAreWhenTheirFileIsOverwritten) {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  write_text(path, bytes_tensor("[4]", "[0,4]", "abcd"));
  const TensorFile file = read_safetensors(path);
  write_text(path, bytes_tensor("[4]", "[0,4]", "wxyz"));
  EXPECT_EQ(hex_of(file.tensors.at("w")), "61626364");
  write_text(path, "");
  EXPECT_EQ(hex_of(file.tensors.at("w")), "61626364");
}

TEST(ByteSource, MemoryOfTensorsIsAligned) {
  for (const std::uint64_t size : {0, 1, 63, 1000, 1 << 20}) {
    const auto memory = allocate_tensor_memory(size, "x");
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % kTensorAlignment, 0u);
  }
}

}  // namespace
}  // namespace actionclip
