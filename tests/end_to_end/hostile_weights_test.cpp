// What a user sees of weights that were made to do harm: one line, and nothing happens.
#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"
#include "tests/weights/crafted_archives.h"
#include "tests/weights/crafted_safetensors.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

void expect_refusal(const ProgramResult& result, const std::filesystem::path& path, const CraftedFile& file) {
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  ASSERT_EQ(lines_of(result.errors).size(), 1u) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr(path.string()));
  EXPECT_THAT(result.errors, HasSubstr(file.message));
  EXPECT_FALSE(std::filesystem::exists("executed"));
}

TEST(HostileWeights, AreRefusedByTheProgramWithOneLine) {
  const std::set<std::string> chosen = {"PickleCalls os.system",
                                        "PickleStackGlobalWithANewLine",
                                        "PickleTerminalCodeInAName",
                                        "StorageElsewhere",
                                        "CutInTheData",
                                        "Overlap",
                                        "HeaderIsLarge"};
  const std::set<std::string> everywhere = {"PickleCalls os.system", "Overlap"};
  CraftedFiles files = crafted_archives();
  append(files, archives_of_pickles());
  append(files, crafted_safetensors());
  std::set<std::string> tried;
  for (const CraftedFile& file : files) {
    if (!chosen.contains(file.name)) continue;
    SCOPED_TRACE(file.name);
    tried.insert(file.name);
    const TemporaryFolder folder;
    const auto path = folder.write("weights.pt", file.bytes);
    expect_refusal(run_program({"inspect", "weights", path.string()}), path, file);
    if (!everywhere.contains(file.name)) continue;
    const auto labels = folder.write("labels.txt", "running\n"), output = folder / "out.safetensors";
    expect_refusal(run_program({"convert", path.string(), output.string(), "--to", "native"}), path, file);
    EXPECT_FALSE(std::filesystem::exists(output));
    expect_refusal(run_program({"predict", "--weights", path.string(), "--labels", labels.string(), "a.mp4"}),
                   path, file);
  }
  EXPECT_EQ(tried, chosen);
}

}  // namespace
}  // namespace actionclip
