// Every crafted file is refused with one line, before anything of it runs and without taking more memory than
// its size and 64 MiB.
#include <set>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/weights/safetensors.h"

#include "tests/weights/crafted_archives.h"
#include "tests/weights/crafted_safetensors.h"
#include "tests/weights/files.h"
#include "tests/weights/refusal.h"
#include "weights/json_file.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

TEST(HostileFiles, AreManyAndOftenMalicious) {
  CraftedFiles all = crafted_archives();
  append(all, archives_of_pickles());
  append(all, crafted_safetensors());
  std::set<std::string> contents;
  std::size_t malicious = 0;
  for (const CraftedFile& file : all) {
    EXPECT_TRUE(contents.insert(file.bytes).second || file.bytes.empty()) << file.name << " repeats another";
    malicious += file.malicious ? 1 : 0;
  }
  EXPECT_GE(contents.size(), 200u);
  EXPECT_GE(malicious, 40u);
  RecordProperty("files", static_cast<int>(contents.size()));
  RecordProperty("malicious", static_cast<int>(malicious));
}

TEST(HostileFiles, ArchivesAreRefused) {
  for (const CraftedFile& file : crafted_archives()) {
    SCOPED_TRACE(file.name);
    expect_refusal(read_tensor_file, file, /*message=*/true);
  }
}

TEST(HostileFiles, ArchivesOfHostilePicklesAreRefused) {
  for (const CraftedFile& file : archives_of_pickles()) {
    SCOPED_TRACE(file.name);
    expect_refusal(read_tensor_file, file, /*message=*/true);
  }
}

// What describes weights: an index of shards, a configuration.
TEST(HostileFiles, JsonFilesAreRefused) {
  const Reader read = [](const fs::path& file) { read_json_object(file); };
  const CraftedFiles files = {
      {"Empty", "", "unexpected end of input"},
      {"List", "[]", "not a JSON object"},
      {"Cut", R"({"weight_map": {"a": "b")", "unexpected end of input"},
      {"KeyTwice", R"({"a": 1, "b": {"c": 1, "\u0063": 2}})", R"(the key "c" appears twice)"},
      {"KeyOfALineTwice", R"({"a\nb": 1, "a\nb": 2})", R"(the key "a\x0ab" appears twice)"},
      {"NotUtf8", "{\"a\": \"\xff\"}", "ill-formed UTF-8"},
      {"NewlineInAText", "{\"a\": \"\n\"}", "control character"},
      {"DeleteInGarbage", "{\x7f", "syntax error"},
      {"DeepLists", R"({"a": )" + repeated("[", 100'000) + repeated("]", 100'000) + "}", "nested deeper",
       true},
      {"DeepObjects", repeated(R"({"a": )", 100'000) + "1" + repeated("}", 100'000), "nested deeper", true},
      {"Large", R"({"a": ")" + std::string(2u << 20, 'x') + "\"}", "larger than 1048576 bytes", true},
      {"ManyValues", R"({"a": [)" + repeated("0,", 500'000) + "0]", "unexpected end of input", true},
      {"ManyObjects", R"({"a": [)" + repeated("{},", 300'000) + "{}]", "unexpected end of input", true},
      {"ManyKeys", R"({"a": [)" + repeated(R"({"":0},)", 140'000) + "0]", "unexpected end of input", true},
  };
  for (const CraftedFile& file : files) {
    SCOPED_TRACE(file.name);
    expect_refusal(read, file, /*message=*/true);
  }
}

TEST(HostileFiles, APipeInPlaceOfAJsonFileIsRefusedWithoutWaitingForItsWriter) {
  const TemporaryFolder folder;
  const auto pipe = folder / "config.json";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(weights_error([&] { read_json_object(pipe); }), pipe.string() + ": is not a regular file");
}

// As weights of any kind, which tells the kind from the content, and as the safetensors of a checkpoint.
TEST(HostileFiles, SafetensorsAreRefused) {
  for (const CraftedFile& file : crafted_safetensors()) {
    SCOPED_TRACE(file.name);
    expect_refusal(read_tensor_file, file, /*message=*/false);
    expect_refusal(read_safetensors, file, /*message=*/true);
  }
}

}  // namespace
}  // namespace actionclip
