// Files and folders for other programs on the disk: whole or not at all, whatever is in their way.
#include <csignal>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/export.h"

#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

LoadedWeights small_weights() {
  LoadedWeights weights;
  weights.config = small_sizes();
  weights.described = weights.has_fusion = true;
  weights.told = Told::everything();
  weights.tensors = state_dict(ActionClip(weights.config));
  return weights;
}

// A disk that is nearly full: no file may grow beyond `bytes` while it lives.
class LittleRoom {
 public:
  explicit LittleRoom(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit room{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &room);
  }
  ~LittleRoom() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  LittleRoom(const LittleRoom&) = delete;
  LittleRoom& operator=(const LittleRoom&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

class WriteExported : public ::testing::Test {
 protected:
  std::string error_of(const ExportedWeights& weights, const std::filesystem::path& output,
                       bool overwrite = false) {
    try {
      write_exported(weights, output, overwrite);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  LoadedWeights weights_ = small_weights();
};

TEST_F(WriteExported, AFileThatIsThereIsKeptUnlessItMayBeOverwritten) {
  const auto exported = export_weights(weights_, NameScheme::openai);
  const auto file = folder_ / "out.safetensors";
  write_text(file, "mine");
  EXPECT_THAT(error_of(exported, file), HasSubstr("out.safetensors is there already"));
  EXPECT_EQ(read_text(file), "mine");
  write_exported(exported, file, /*overwrite=*/true);
  EXPECT_EQ(read_safetensors(file).tensors.size(), exported.tensors.size());
  EXPECT_THAT(error_of(exported, folder_.path()), HasSubstr("is a folder: the name of a file is needed"));
}

TEST_F(WriteExported, AFolderAppearsWholeAndOtherFilesInItStay) {
  const auto exported = export_weights(weights_, NameScheme::huggingface);
  std::filesystem::create_directory(folder_ / "new");
  write_exported(exported, folder_ / "new/deeper/", /*overwrite=*/false);
  const auto folder = folder_ / "new/deeper";
  for (const char* name : {"model.safetensors", "config.json", "preprocessor_config.json"})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "new"), {}), 1)
      << "nothing temporary";
  write_text(folder / "notes.txt", "mine");
  std::filesystem::remove(folder / "model.safetensors");
  EXPECT_THAT(error_of(exported, folder), HasSubstr("config.json is there already"));
  EXPECT_FALSE(std::filesystem::exists(folder / "model.safetensors"));
  write_exported(exported, folder, /*overwrite=*/true);
  EXPECT_EQ(read_text(folder / "notes.txt"), "mine");
  EXPECT_TRUE(std::filesystem::exists(folder / "model.safetensors"));
  EXPECT_THAT(names_in(folder), UnorderedElementsAre("config.json", "model.safetensors", "notes.txt",
                                                     "preprocessor_config.json"));
  EXPECT_THAT(error_of(exported, folder_ / "new/deeper/notes.txt"), HasSubstr("is a file"));
}

// The descriptions fit on the disk, the tensors do not.
TEST_F(WriteExported, WhereAFileCannotBeWrittenAllOldOnesStay) {
  const std::map<std::string, std::string> old = {{"config.json", "old config"},
                                                  {"preprocessor_config.json", "old preprocessor"},
                                                  {"model.safetensors", "old tensors"}};
  for (const auto& [name, text] : old) folder_.write("out/" + name, text);
  const auto exported = export_weights(weights_, NameScheme::huggingface);
  {
    const LittleRoom room(16 << 10);
    EXPECT_THAT(error_of(exported, folder_ / "out", /*overwrite=*/true), HasSubstr("more bytes needed"));
    EXPECT_THAT(error_of(exported, folder_ / "new"), HasSubstr("more bytes needed"));
  }
  EXPECT_THAT(names_in(folder_ / "out"), SizeIs(old.size())) << "nothing temporary";
  for (const auto& [name, text] : old) EXPECT_EQ(read_text(folder_ / "out" / name), text);
  EXPECT_THAT(names_in(folder_.path()), ElementsAre("out"));
}

TEST_F(WriteExported, AFolderInThePlaceOfAFileIsFoundBeforeAnyFileIsReplaced) {
  const auto exported = export_weights(weights_, NameScheme::huggingface);
  folder_.write("out/config.json", "old config");
  std::filesystem::create_directory(folder_ / "out/preprocessor_config.json");
  EXPECT_THAT(error_of(exported, folder_ / "out", /*overwrite=*/true),
              HasSubstr("preprocessor_config.json is a folder: the name of a file is needed"));
  EXPECT_EQ(read_text(folder_ / "out/config.json"), "old config");
  EXPECT_THAT(names_in(folder_ / "out"), UnorderedElementsAre("config.json", "preprocessor_config.json"));
}

TEST_F(WriteExported, TheFolderThatTheOutputLiesInMustBeThere) {
  const auto file = export_weights(weights_, NameScheme::openai);
  const auto folder = export_weights(weights_, NameScheme::huggingface);
  const auto absent = folder_ / "absent";
  for (const auto* exported : {&file, &folder}) {
    EXPECT_THAT(error_of(*exported, absent / "out"),
                AllOf(StartsWith((absent / "out").string() + ": there is no folder " + absent.string()),
                      HasSubstr("make it first"), Not(HasSubstr(".tmp."))));
  }
  EXPECT_THAT(error_of(file, folder_ / "out/"), HasSubstr("is a folder: the name of a file is needed"));
  EXPECT_THAT(names_in(folder_.path()), IsEmpty());
  folder_.write("file", "mine");
  EXPECT_THAT(error_of(folder, folder_ / "file/out"), HasSubstr("file is a file, a folder is needed"));
}

}  // namespace
}  // namespace actionclip
