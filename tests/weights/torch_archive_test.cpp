#include "weights/torch_archive.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parity/run_python.h"
#include "tests/weights/files.h"
#include "tests/weights/pickle_builder.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {
namespace {

using namespace pickles;
using testing::HasSubstr;

TensorFile parse(const std::string& bytes) {
  const auto view = bytes_of(bytes);
  const std::vector<std::byte> copy(view.begin(), view.end());
  return read_torch_archive(ZipArchive(MemorySource(copy, "x.pt")));
}

std::string error_of(const std::vector<ZipEntry>& entries) {
  return weights_error([&] { parse(build_zip(entries)); });
}

std::string state(const std::string& tensor_ops) { return program(dict({text("w"), tensor_ops})); }

std::string two_floats() { return state(tensor(storage("0", "FloatStorage", 2), 0, {2}, {1})); }

TEST(TorchArchive, ReadsATensorRecord) {
  const auto file = parse(
      build_zip({{.name = "m/data.pkl", .data = two_floats()}, {.name = "m/data/0", .data = "abcdefgh"}}));
  EXPECT_EQ(file.format, WeightsFormat::pickle);
  EXPECT_EQ(hex_of(file.tensors.at("w")), "6162636465666768");
}

TEST(TorchArchive, SharedStoragesAreHeldOnce) {
  const std::string store = storage("0", "ByteStorage", 6);
  const auto file = parse(build_zip({{.name = "m/data.pkl",
                                      .data = program(dict({text("a"), tensor(store, 0, {6}, {1}), text("b"),
                                                            tensor(store, 1, {2, 2}, {3, 1})}))},
                                     {.name = "m/data/0", .data = "abcdef"}}));
  EXPECT_EQ(file.tensors.at("a").owner, file.tensors.at("b").owner);
  EXPECT_EQ(hex_of(file.tensors.at("b")), "62636566");
  EXPECT_EQ(file.tensors.at("b").bytes.size(), 5u);
}

TEST(TorchArchive, AnEmptyFusionHeadIsTold) {
  const std::string weight = tensor(storage("0", "FloatStorage", 2), 0, {2}, {1});
  const std::string empty = global("collections", "OrderedDict") + ")R";
  const auto told = [&](const std::string& key, const std::string& head) {
    const std::string ops =
        dict({text("model_state_dict"), dict({text("visual.proj"), weight}), text(key), head});
    return parse(build_zip({{.name = "m/data.pkl", .data = program(ops)},
                            {.name = "m/data/0", .data = "abcdefgh"}}))
        .empty_fusion_head;
  };
  EXPECT_TRUE(told("fusion_model_state_dict", empty));
  EXPECT_TRUE(told("fusion_model_state_dict", "}"));
  EXPECT_FALSE(told("fusion_model_state_dict", dict({text("module.shift.weight"), weight})));
  EXPECT_FALSE(told("fusion_model_state_dict", "N"));
  EXPECT_FALSE(told("optimizer_state_dict", empty));
}

TEST(TorchArchive, StoragesMayBeSharedByTwice) {
  constexpr std::int64_t kNumbers = 16 << 20;
  const std::string whole = tensor(storage("0", "ByteStorage", kNumbers), 0, {kNumbers}, {1});
  const auto archive = [&](int names) {
    std::vector<std::string> items;
    for (int i = 0; i < names; ++i) {
      items.push_back(text(fmt::format("w{}", i)));
      items.push_back(whole);
    }
    return build_zip({{.name = "m/data.pkl", .data = program(dict(items))},
                      {.name = "m/data/0", .data = std::string(kNumbers, 'b')}});
  };
  EXPECT_EQ(parse(archive(3)).tensors.size(), 3u);
  EXPECT_THAT(weights_error([&] { parse(archive(4)); }),
              HasSubstr("x.pt: its 4 tensors share their storages: they have 67108864 bytes, the file holds "
                        "16777216 of them"));
}

TEST(TorchArchive, EmptyTensorsHaveNoBytes) {
  const auto file = parse(build_zip(
      {{.name = "m/data.pkl", .data = state(tensor(storage("0", "HalfStorage", 0), 0, {0, 3}, {3, 1}))},
       {.name = "m/data/0", .data = ""}}));
  EXPECT_EQ(file.tensors.at("w").bytes.size(), 0u);
  EXPECT_EQ(file.tensors.at("w").shape, (std::vector<std::int64_t>{0, 3}));
}

TEST(TorchArchive, NeverReadsTheProgramOfATorchScriptArchive) {
  const auto file = parse(
      build_zip({{.name = "m/data.pkl", .data = two_floats()},
                 {.name = "m/data/0", .data = "abcdefgh"},
                 {.name = "m/constants.pkl", .data = "not a pickle"},
                 {.name = "m/code/__torch__.py", .data = "not a program", .method = 8, .crc_error = 1}}));
  EXPECT_EQ(file.format, WeightsFormat::torchscript);
  EXPECT_EQ(file.tensors.size(), 1u);
}

TEST(TorchArchive, RefusesRecordsThatAreShorterOrLongerThanTheirStorage) {
  for (const char* data : {"", "abcd", "abcdefg", "abcdefghi", "abcdefghijkl"}) {
    EXPECT_THAT(error_of({{.name = "m/data.pkl", .data = two_floats()}, {.name = "m/data/0", .data = data}}),
                HasSubstr("x.pt: tensor \"w\": record \"m/data/0\" has"));
  }
}

TEST(TorchArchive, RefusesMissingRecords) {
  EXPECT_THAT(error_of({{.name = "m/data.pkl", .data = two_floats()}}),
              HasSubstr("record \"m/data/0\" is missing"));
}

TEST(TorchArchive, RefusesBigEndianFiles) {
  EXPECT_THAT(error_of({{.name = "m/data.pkl", .data = two_floats()},
                        {.name = "m/data/0", .data = "abcdefgh"},
                        {.name = "m/byteorder", .data = "big"}}),
              HasSubstr("byte order \"big\""));
}

TEST(TorchArchive, RefusesZipArchivesOfSomethingElse) {
  EXPECT_THAT(error_of({{.name = "word/document.xml", .data = "<xml/>"}}), HasSubstr("without data.pkl"));
  EXPECT_THAT(error_of({{.name = "a/b/data.pkl", .data = two_floats()}}), HasSubstr("without data.pkl"));
  EXPECT_THAT(
      error_of({{.name = "a/data.pkl", .data = two_floats()}, {.name = "b/data.pkl", .data = two_floats()}}),
      HasSubstr("more than one data.pkl"));
}

TEST(TorchArchive, NamesTheGlobalOfAMaliciousFile) {
  const std::string ops = global("os", "system") + text("touch /tmp/owned") + "\x85R";
  const std::string message = error_of({{.name = "m/data.pkl", .data = program(ops)}});
  EXPECT_THAT(message, HasSubstr("x.pt: m/data.pkl, byte "));
  EXPECT_THAT(message, HasSubstr("\"os.system\""));
  EXPECT_THAT(message, HasSubstr("save the state dict alone: torch.save(model.state_dict(), path)"));
  EXPECT_THAT(message, HasSubstr("if you trust its source, in Python: torch.save(torch.load(FILE, "));
}

// Reads and touches every byte; a refusal is as good as success, a crash is what the test is for.
bool survives(const std::string& bytes) {
  try {
    sum_of_bytes(parse(bytes));
    return true;
  } catch (const WeightsError&) {
    return false;
  }
}

std::vector<ZipEntry> small_archive() {
  const std::string store = storage("0", "FloatStorage", 16);
  const std::string ops =
      dict({text("state_dict"),
            dict({text("a"), tensor(store, 0, {4, 4}, {1, 4}), text("b"), tensor(store, 5, {2, 3}, {4, 1})}),
            text("list"), std::string("](") + tensor(storage("1", "LongStorage", 3), 0, {3}, {1}) + "e"});
  return {{.name = "m/data.pkl", .data = program(ops)},
          {.name = "m/byteorder", .data = "little"},
          {.name = "m/data/0", .data = std::string(64, 'f')},
          {.name = "m/data/1", .data = std::string(24, 'i')}};
}

TEST(TorchArchive, SurvivesFlippedBytes) {
  const std::string good = build_zip(small_archive());
  ASSERT_TRUE(survives(good));
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = good;
    bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    survives(bytes);
  }
}

TEST(TorchArchive, SurvivesFlippedBytesBehindCorrectChecksums) {
  std::mt19937 random(8);
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    auto entries = small_archive();
    std::string& data = entries[0].data;
    for (unsigned changes = 1 + random() % 2; changes > 0; --changes)
      data[random() % data.size()] = static_cast<char>(random());
    accepted += survives(build_zip(entries)) ? 1 : 0;
  }
  EXPECT_GT(accepted, 20) << "nothing got past the first checks";
}

class TorchArchiveParity : public testing::Test {
 protected:
  // One run of Python for all tests of the suite would be faster, but tests run in processes of their own.
  void SetUp() override { run_python("weights_files.py", {"write-torch", folder_.path().string()}); }

  TemporaryFolder folder_;
};

TEST_F(TorchArchiveParity, ReadsWhatTorchWrites) {
  const auto expected = nlohmann::json::parse(read_text(folder_ / "expected.json"));
  ASSERT_GE(expected.size(), 13u);
  for (const auto& [name, tensors] : expected.items()) {
    SCOPED_TRACE(name);
    const auto file = read_tensor_file(folder_ / name);
    expect_same_tensors(file, tensors);
    const bool script = name.starts_with("scripted") || name.starts_with("traced");
    EXPECT_EQ(file.format, script ? WeightsFormat::torchscript : WeightsFormat::pickle);
  }
  EXPECT_THAT(weights_error([&] { read_tensor_file(folder_ / "legacy.pth"); }),
              HasSubstr("torch.save(torch.load("));
}

TEST_F(TorchArchiveParity, RefusesEveryTruncation) {
  for (const char* name : {"shared.pt", "scripted.pt"}) {
    const std::string bytes = read_text(folder_ / name);
    for (std::size_t size = 0; size < bytes.size(); size += 64) {
      EXPECT_FALSE(survives(bytes.substr(0, size))) << name << " cut to " << size;
    }
  }
}

TEST_F(TorchArchiveParity, SurvivesFlippedBytesInRealFiles) {
  std::mt19937 random(9);
  for (const char* name : {"published.pt", "scripted.pt"}) {
    const std::string good = read_text(folder_ / name);
    for (int i = 0; i < 1000; ++i) {
      std::string bytes = good;
      bytes[random() % bytes.size()] = static_cast<char>(random());
      survives(bytes);
    }
  }
}

}  // namespace
}  // namespace actionclip
