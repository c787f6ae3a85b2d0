#include "actionclip/weights/safetensors.h"

#include <limits>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parity/run_python.h"
#include "tests/weights/crafted_safetensors.h"
#include "tests/weights/files.h"
#include "weights/safetensors_reader.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

using testing::HasSubstr;

constexpr const char* kScript = "weights_files.py";

// Copies the bytes to the heap at their exact size, so that AddressSanitizer guards both ends.
TensorFile parse(const std::string& bytes) {
  const auto view = bytes_of(bytes);
  const std::vector<std::byte> copy(view.begin(), view.end());
  return parse_safetensors(MemorySource(copy, "x.safetensors"));
}

TensorData floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  const auto owner = std::make_shared<std::vector<float>>(values);
  auto strides = contiguous_strides(shape);
  return {DType::kFloat32, std::move(shape), std::move(strides), std::as_bytes(std::span(*owner)), owner};
}

TEST(Safetensors, CraftedFilesAreRefusedWithTheirReason) {
  for (const CraftedFile& file : crafted_safetensors()) {
    SCOPED_TRACE(file.name);
    const std::string message = weights_error([&] { parse(file.bytes); });
    EXPECT_THAT(message, HasSubstr("x.safetensors: "));
    EXPECT_THAT(message, HasSubstr(file.message));
    EXPECT_TRUE(is_plain_text(message)) << message;
  }
}

TEST(Safetensors, ReadsTypesShapesBytesAndMetadata) {
  const auto file = parse(safetensors(
      R"({"b":{"dtype":"I16","shape":[2,1],"data_offsets":[4,8]},"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"z":{"shape":[0,3],"data_offsets":[4,4],"dtype":"BF16"}}  )",
      "abcd\1\2\3\4"));
  ASSERT_EQ(file.tensors.size(), 3u);
  EXPECT_EQ(file.format, WeightsFormat::safetensors);
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"k", "v"}}));
  EXPECT_EQ(hex_of(file.tensors.at("a")), "61626364");
  EXPECT_EQ(hex_of(file.tensors.at("b")), "01020304");
  EXPECT_EQ(file.tensors.at("b").strides, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(file.tensors.at("z").element_count(), 0);
}

TEST(Safetensors, TensorsOutliveTheFile) {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  write_safetensors(path, {{"w", floats({2}, {1.0f, 2.0f})}}, {});
  TensorData tensor = read_safetensors(path).tensors.at("w");
  std::filesystem::remove(path);
  EXPECT_EQ(hex_of(tensor), "0000803f00000040");
}

TEST(Safetensors, WriterGivesBackWhatItWasGiven) {
  const TemporaryFolder folder;
  const std::map<std::string, std::string> metadata{{"architecture", "ViT-B/16"}, {"labels", "a\nb ü \"c\""}};
  write_safetensors(folder / "x.safetensors",
                    {{"z", floats({3}, {1, 2, 3})}, {"a", floats({}, {4})}, {"e", floats({2, 0}, {})}},
                    metadata);
  const auto file = read_safetensors(folder / "x.safetensors");
  EXPECT_EQ(file.metadata, metadata);
  EXPECT_EQ(hex_of(file.tensors.at("z")), "0000803f0000004000004040");
  EXPECT_EQ(hex_of(file.tensors.at("a")), "00008040");
  EXPECT_EQ(file.tensors.at("e").shape, (std::vector<std::int64_t>{2, 0}));
}

TEST(Safetensors, SameInputWritesTheSameAlignedBytes) {
  const TemporaryFolder folder;
  for (std::size_t length = 1; length < 10; ++length) {
    const NamedTensorData tensors{{std::string(length, 'n'), floats({1}, {1})}};
    write_safetensors(folder / "a", tensors, {{"k", "v"}});
    write_safetensors(folder / "b", tensors, {{"k", "v"}});
    const std::string bytes = read_text(folder / "a");
    EXPECT_EQ(bytes, read_text(folder / "b"));
    EXPECT_EQ((bytes.size() - 4) % 8, 0u);
  }
}

TEST(Safetensors, WriterRefusesWhatItCannotStore) {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  const TensorData good = floats({2, 2}, {1, 2, 3, 4});
  TensorData transposed = good, cut = good, huge = good, flat = good;
  transposed.strides = {1, 2};
  cut.bytes = cut.bytes.first(15);
  huge.shape = {std::numeric_limits<std::int64_t>::max(), 2};
  flat.strides = {1};
  EXPECT_THROW(write_safetensors(path, {{"a", good}, {"a", good}}, {}), std::invalid_argument);
  EXPECT_THROW(write_safetensors(path, {{"__metadata__", good}}, {}), std::invalid_argument);
  EXPECT_THROW(write_safetensors(path, {{"\xff", good}}, {}), std::invalid_argument);
  EXPECT_THROW(write_safetensors(path, {{"a", good}}, {{"k", "\xff"}}), std::invalid_argument);
  for (const TensorData& bad : {transposed, cut, huge, flat}) {
    EXPECT_THROW(write_safetensors(path, {{"a", bad}}, {}), std::invalid_argument);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, FailedWriteLeavesTheOldFileAndNoTemporary) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_safetensors(folder / "missing/x.safetensors", {}, {}), Error);
  std::filesystem::create_directories(folder / "x.safetensors/in_the_way");
  EXPECT_THROW(write_safetensors(folder / "x.safetensors", {}, {}), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", {{"a", floats({40}, std::vector<float>(40, 1.0f))}}, {{"k", "v"}});
  const std::string bytes = read_text(folder / "x");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse(bytes.substr(0, size)), WeightsError) << size;
  }
}

TEST(SafetensorsParity, ReadsWhatThePythonLibraryWrites) {
  const TemporaryFolder folder;
  run_python(kScript, {"write-safetensors", folder.path().string()});
  const auto expected = nlohmann::json::parse(read_text(folder / "expected.json"));
  ASSERT_EQ(expected.size(), 3u);
  for (const auto& [name, tensors] : expected.items()) {
    SCOPED_TRACE(name);
    const auto file = read_safetensors(folder / name);
    expect_same_tensors(file, tensors);
    EXPECT_EQ(file.metadata.at("labels"), "ä\n\"b\"");
  }
}

TEST(SafetensorsParity, ThePythonLibraryReadsWhatIsWritten) {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  write_safetensors(
      path, {{"w", floats({2, 3}, {1, 2, 3, 4, 5, 6})}, {"s", floats({}, {7})}, {"e", floats({0}, {})}},
      {{"k", "ü"}});
  const auto dump = nlohmann::json::parse(run_python(kScript, {"dump-safetensors", path.string()}));
  expect_same_tensors(read_safetensors(path), dump.at("tensors"));
  EXPECT_EQ(dump.at("metadata").at("k"), "ü");
}

// Headers with a few bytes changed: the fixed seed makes the files the same each time.
std::vector<std::string> mutated_files(int count) {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I16","shape":[4],"data_offsets":[24,32]}})";
  const std::string alphabet = R"({}[]:,"0123456789-+.eEFIUBO16 \abdtypesho_ffk)";
  std::mt19937 random(20240);
  std::vector<std::string> files;
  for (int i = 0; i < count; ++i) {
    std::string text = header;
    for (unsigned changes = 1 + random() % 2; changes > 0; --changes) {
      const std::size_t place = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0:
          text[place] = c;
          break;
        case 1:
          text.insert(place, 1, c);
          break;
        case 2:
          text.erase(place, 1);
          break;
        default:
          text.insert(place, 1, ' ');
      }
    }
    files.push_back(safetensors(text, std::string(32, 'x')));
  }
  return files;
}

TEST(SafetensorsParity, AcceptsNothingThatThePythonLibraryRefuses) {
  const TemporaryFolder folder;
  std::vector<std::string> files = mutated_files(1500);
  std::map<std::string, bool> ours;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name = fmt::format("{:05}", i);
    write_text(folder / name, files[i]);
    try {
      sum_of_bytes(read_safetensors(folder / name));
      ours[name] = true;
    } catch (const WeightsError&) {
      ours[name] = false;
    }
  }
  std::istringstream verdicts(run_python(kScript, {"judge-safetensors", folder.path().string()}));
  std::size_t judged = 0, both = 0;
  for (std::string name, verdict; verdicts >> name >> verdict; ++judged) {
    EXPECT_FALSE(verdict == "refused" && ours.at(name)) << name << ": " << read_text(folder / name).substr(8);
    both += ours.at(name) && verdict == "accepted" ? 1 : 0;
  }
  EXPECT_EQ(judged, files.size());
  EXPECT_GT(both, 100u) << "the mutations are too wild to compare anything";
}

}  // namespace
}  // namespace actionclip
